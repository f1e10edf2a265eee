package offers

import "github.com/potluck-share/potluck/app/domain"

// Row returns an offer as a row of the list of transfers.
func Row(o domain.Offer) domain.Transfer {
	t := domain.Transfer{
		ID: o.ID, Kind: domain.Offering, Peer: o.Peer, PeerName: o.PeerName, Path: title(o),
		Count: o.Entries, Size: o.Bytes, Reason: o.Reason, Added: o.Added, Ended: o.Ended,
		Incoming: o.Incoming, Note: o.Note, State: domain.Waiting,
	}
	switch o.State {
	case domain.OfferReading:
		t.State, t.Done, t.Size = domain.Running, o.Read, o.ToRead
		t.Reason = domain.Say("Reading the files.")
		if o.ToRead > 0 {
			t.Reason = domain.Say("Reading the files… %s %%", int(100*o.Read/o.ToRead))
		}
	case domain.OfferAsked:
		if o.Incoming {
			t.Reason = domain.Say("%s wants to give you %s.", o.PeerName, t.Path)
		}
	case domain.OfferDone:
		t.State, t.Done = domain.Done, o.Bytes
	case domain.OfferDeclined, domain.OfferWithdrawn:
		t.State = domain.Cancelled
		if o.State == domain.OfferDeclined {
			t.Failure = domain.ErrorKind(domain.ErrRefused)
		}
	case domain.OfferFailed:
		t.State = domain.Failed
	case domain.OfferAccepted:
		t.Done = o.Sent
		if o.Rate > 0 {
			t.State, t.Rate, t.Reason, t.Providers = domain.Running, o.Rate, domain.Saying{}, 1
		}
	case domain.OfferWaiting:
	}
	return t
}
