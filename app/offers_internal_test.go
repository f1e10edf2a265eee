package app

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/app/event"
)

// meet connects two Potlucks and waits until each counts the other as around.
func meet(t *testing.T, a, b *node) {
	t.Helper()
	if _, err := b.people.Connect(t.Context(), a.describe().Addresses[0]); err != nil {
		t.Fatal(err)
	}
	until(t, "both see each other", func() error {
		for _, pair := range [][2]*node{{a, b}, {b, a}} {
			if who, _ := pair[0].people.Peer(pair[1].host.ID()); !who.Online || who.FarForThem {
				return errors.New("one does not")
			}
		}
		return nil
	})
}

// again starts a Potluck once more on the data folder of one that was closed.
func (n *node) again(t *testing.T) *node {
	t.Helper()
	chosen, err := prepare(n.opts)
	if err != nil {
		t.Fatal(err)
	}
	next, err := startNode(t.Context(), n.opts, chosen, event.NewBus(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(next.close)
	return next
}

// present is a folder to give away: one large file, one small one below.
func present(t *testing.T, name string, size int) (path string, data []byte) {
	t.Helper()
	path = filepath.Join(t.TempDir(), name)
	data = bytes.Repeat([]byte(name+"!"), size/(len(name)+1)+1)[:size]
	if err := os.MkdirAll(filepath.Join(path, "below"), 0o700); err != nil {
		t.Fatal(err)
	}
	for rel, content := range map[string][]byte{"big.bin": data, "below/small.txt": []byte("hello from " + name)} {
		if err := os.WriteFile(filepath.Join(path, rel), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return path, data
}

// offer waits until an offer is in that state, and returns it.
func (n *node) offer(t *testing.T, id string, state domain.OfferState) (now domain.Offer) {
	t.Helper()
	until(t, fmt.Sprintf("%s sees that the offer is %s", n.describe().Name, state), func() error {
		var err error
		if now, err = n.offers.Find(id); err == nil && now.State != state {
			err = fmt.Errorf("it is %s: %s", now.State, now.Reason)
		}
		return err
	})
	return now
}

// gone waits until an offer is not in the list any more.
func (n *node) gone(t *testing.T, id string) {
	t.Helper()
	until(t, n.describe().Name+" does not see the offer any more", func() error {
		if now, err := n.offers.Find(id); err == nil {
			return fmt.Errorf("it is %s: %s", now.State, now.Reason)
		}
		return nil
	})
}

func (n *node) send(t *testing.T, to *node, note string, paths ...string) (id string) {
	t.Helper()
	id, err := n.offers.Send(t.Context(), to.host.ID(), paths, note)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// download waits for the download of an offer to be in that state.
func (n *node) download(t *testing.T, offer string, state domain.TransferState) (found domain.Transfer) {
	t.Helper()
	until(t, fmt.Sprintf("the download is %s", state), func() error {
		for _, d := range n.transfers.Transfers() {
			if d.Offer == offer {
				if found = d; d.State == state {
					return nil
				}
				return fmt.Errorf("it is %s: %s", d.State, d.Reason)
			}
		}
		return errors.New("there is none")
	})
	return found
}

// What is offered comes to the one who accepts, wherever they want it, with the
// note; nobody else sees it, and the sender gives it to nobody afterwards.
func TestAnOfferIsAccepted(t *testing.T) {
	t.Parallel()
	ana, ben, cleo := startPotluck(t, "ana"), startPotluck(t, "ben"), startPotluck(t, "cleo")
	meet(t, ana, ben)
	meet(t, ana, cleo)
	folder, data := present(t, "Holiday", 3*mib+5)
	letter := filepath.Join(t.TempDir(), "letter.txt")
	if err := os.WriteFile(letter, []byte("dear ben"), 0o600); err != nil {
		t.Fatal(err)
	}
	id := ana.send(t, ben, "from the sea\x1b[31m\nand the \u202ehills", folder, letter, filepath.Join(folder, "absent"))
	asked := ben.offer(t, id, domain.OfferAsked)
	want := domain.Offer{
		ID: id, Incoming: true, Peer: ana.host.ID(), PeerName: "ana", Name: "Holiday", Items: 2, Folder: true,
		Entries: 3, Bytes: int64(len(data)) + int64(len("hello from Holiday")+len("dear ben")),
		Note: "from the sea\uFFFD[31m\nand the hills", State: domain.OfferAsked, Added: asked.Added,
	}
	if fmt.Sprint(asked) != fmt.Sprint(want) {
		t.Errorf("ben is asked\n%+v, want\n%+v", asked, want)
	}
	mine := ana.offer(t, id, domain.OfferAsked)
	if got := mine.Problem.String(); got != "Can't read absent; the rest is sent." {
		t.Errorf("ana is told %q", got)
	}
	if shares := ana.library.Shares(); len(shares) > 0 {
		t.Errorf("ana shares %v", shares)
	}
	if d := cleo.offers.Offers(); len(d) > 0 {
		t.Errorf("cleo sees %v", d)
	}
	to := filepath.Join(t.TempDir(), "elsewhere")
	if err := ben.offers.Accept(t.Context(), id, to); err != nil {
		t.Fatal(err)
	}
	done := ben.download(t, id, domain.Done)
	if done.Final != to || done.Path != "Holiday +1" || done.PeerName != "ana" {
		t.Errorf("the download is %+v", done)
	}
	for rel, want := range map[string]string{"Holiday/big.bin": string(data), "Holiday/below/small.txt": "hello from Holiday", "letter.txt": "dear ben"} {
		if got, err := os.ReadFile(filepath.Join(to, rel)); err != nil || string(got) != want {
			t.Errorf("%s: %d bytes, %v", rel, len(got), err)
		}
	}
	ana.offer(t, id, domain.OfferDone)
	ben.gone(t, id)
	until(t, "ana gives nothing any more", func() error {
		if left := ana.library.Offered(); len(left) > 0 {
			return fmt.Errorf("%v", left)
		}
		return nil
	})
	if err := ben.offers.Decline(t.Context(), id); !errors.Is(err, domain.ErrUsage) {
		t.Errorf("declining it now: %v", err)
	}
}

// An offer waits for whoever is away, over restarts of both, and one that was
// answered while the other was away is answered when they are back.
func TestOffersWaitForPeople(t *testing.T) {
	t.Parallel()
	ana, ben := startPotluck(t, "ana"), startPotluck(t, "ben")
	meet(t, ana, ben)
	ben.close()
	until(t, "ben is away", func() error {
		if who, _ := ana.people.Peer(ben.host.ID()); who.Online {
			return errors.New("he is not")
		}
		return nil
	})
	folder, _ := present(t, "Holiday", mib)
	yes, no := ana.send(t, ben, "", folder), ana.send(t, ben, "", filepath.Join(folder, "big.bin"))
	if o := ana.offer(t, yes, domain.OfferWaiting); !strings.HasPrefix(o.Reason.String(), "ben is away since ") {
		t.Errorf("it waits because: %s", o.Reason)
	}
	ana.offer(t, no, domain.OfferWaiting)
	ana.close()
	ana, ben = ana.again(t), ben.again(t)
	meet(t, ana, ben)
	ben.offer(t, yes, domain.OfferAsked)
	ben.offer(t, no, domain.OfferAsked)
	ana.offer(t, no, domain.OfferAsked)
	ana.close()
	until(t, "ana is away", func() error {
		if who, _ := ben.people.Peer(ana.host.ID()); who.Online {
			return errors.New("she is not")
		}
		return nil
	})
	if err := errors.Join(ben.offers.Accept(t.Context(), yes, ""), ben.offers.Decline(t.Context(), no)); err != nil {
		t.Fatal(err)
	}
	ben.close()
	ana, ben = ana.again(t), ben.again(t)
	meet(t, ana, ben)
	ana.offer(t, no, domain.OfferDeclined)
	ben.download(t, yes, domain.Done)
	ana.offer(t, yes, domain.OfferDone)
}

// What the sender takes back cannot be had any more, also in the middle of the
// download, and may be sent again.
func TestOffersAreTakenBack(t *testing.T) {
	t.Parallel()
	ana, ben := startPotluck(t, "ana"), startPotluck(t, "ben")
	meet(t, ana, ben)
	folder, _ := present(t, "Holiday", 16*mib)
	id := ana.send(t, ben, "", folder)
	ben.offer(t, id, domain.OfferAsked)
	if err := ana.offers.Cancel(t.Context(), []string{id}); err != nil {
		t.Fatal(err)
	}
	ben.gone(t, id)
	if err := ana.offers.Resume(t.Context(), []string{id}); err != nil {
		t.Fatal(err)
	}
	ben.offer(t, id, domain.OfferAsked)
	ben.throttle(t, 4_000_000)
	if err := ben.offers.Accept(t.Context(), id, ""); err != nil {
		t.Fatal(err)
	}
	until(t, "some of it has come", func() error {
		for _, d := range ben.transfers.Transfers() {
			if d.Offer == id && d.Done > 0 {
				return nil
			}
		}
		return errors.New("nothing has")
	})
	ana.offer(t, id, domain.OfferAccepted)
	if err := ana.offers.Cancel(t.Context(), []string{id}); err != nil {
		t.Fatal(err)
	}
	failed := ben.download(t, id, domain.Failed)
	if got := failed.Reason.String(); got != "ana took this back." {
		t.Errorf("the download ended: %s", got)
	}
	if err := ben.transfers.Retry(t.Context(), []string{failed.ID}); err != nil {
		t.Fatal(err)
	}
	if got := ben.download(t, id, domain.Failed).Reason.String(); got != "ana no longer shares this with you." {
		t.Errorf("tried again, it ended: %s", got)
	}
	if err := ana.offers.Remove(t.Context(), []string{id}); err != nil {
		t.Fatal(err)
	}
	ana.gone(t, id)
}

// A friend may be believed up to a size; whoever removes such a download has
// declined.
func TestWhatAFriendSendsIsAccepted(t *testing.T) {
	t.Parallel()
	ana, ben := startPotluck(t, "ana"), startPotluck(t, "ben")
	meet(t, ana, ben)
	folder, _ := present(t, "Holiday", 8*mib)
	befriend(t, ana, ben)
	// Always asking means that, also for what has no bytes.
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	ben.offer(t, ana.send(t, ben, "", empty), domain.OfferAsked)
	if err := ben.people.AcceptUpTo(t.Context(), ana.host.ID(), 8*mib+100); err != nil {
		t.Fatal(err)
	}
	crowd := domain.OfferSummary{ID: strings.Repeat("ab", 16), Name: "many", Items: 1, Folder: true, Entries: 10_001, Bytes: 1}
	if err := ana.giving.Offer(t.Context(), ben.host.ID(), crowd); err != nil {
		t.Fatal(err)
	}
	ben.offer(t, crowd.ID, domain.OfferAsked)
	ben.throttle(t, 2_000_000)
	id := ana.send(t, ben, "", folder)
	more := ana.send(t, ben, "", folder, filepath.Join(folder, "big.bin"))
	var found domain.Transfer
	until(t, "it is fetched unasked", func() error {
		for _, d := range ben.transfers.Transfers() {
			if d.Offer == id && d.Done > 0 {
				found = d
				return nil
			}
		}
		return errors.New("it is not")
	})
	ben.offer(t, more, domain.OfferAsked)
	if err := ben.transfers.Cancel(t.Context(), []string{found.ID}); err != nil {
		t.Fatal(err)
	}
	if err := ben.transfers.Remove(t.Context(), []string{found.ID}); err != nil {
		t.Fatal(err)
	}
	ana.offer(t, id, domain.OfferDeclined)
	if err := ben.people.Block(t.Context(), ana.host.ID()); err != nil {
		t.Fatal(err)
	}
	ben.gone(t, more)
}

// Too many offers wait, others' offers are not overwritten, and one that is not
// what it said is not taken.
func TestOffersOfStrangers(t *testing.T) {
	t.Parallel()
	ana, ben, cleo := startPotluck(t, "ana"), startPotluck(t, "ben"), startPotluck(t, "cleo")
	meet(t, ana, ben)
	meet(t, cleo, ben)
	folder, _ := present(t, "Holiday", mib)
	var ids []string
	for range 9 {
		ids = append(ids, ana.send(t, ben, "", folder))
	}
	until(t, "one of them waits", func() error {
		asked, busy := 0, 0
		for _, id := range ids {
			switch o, err := ana.offers.Find(id); {
			case err != nil:
				return err
			case o.State == domain.OfferAsked:
				asked++
			case o.Reason.String() == "ben has many unanswered offers. Trying again.":
				busy++
			}
		}
		if asked != 8 || busy != 1 {
			return fmt.Errorf("%d were taken, %d wait", asked, busy)
		}
		return nil
	})
	taken := ben.offers.Offers()
	if len(taken) != 8 {
		t.Fatalf("ben sees %d", len(taken))
	}
	err := cleo.giving.Offer(t.Context(), ben.host.ID(), domain.OfferSummary{ID: taken[0].ID, Name: "x", Items: 1, Entries: 1, Bytes: 1})
	if !errors.Is(err, domain.ErrRefused) {
		t.Errorf("another one's ID: %v", err)
	}
	if err := cleo.giving.Answer(t.Context(), ana.host.ID(), ids[0], domain.OfferAccept); err == nil {
		t.Error("cleo accepts what is for ben")
	}
	if err := cleo.giving.Withdraw(t.Context(), ben.host.ID(), taken[0].ID); err != nil {
		t.Fatal(err)
	}
	ben.offer(t, taken[0].ID, domain.OfferAsked)

	// However many strangers ask, a friend gets through.
	busy := 0
	for i := range 120 {
		of := domain.Asker{Peer: domain.PeerID(fmt.Sprintf("stranger %d", i)), Near: true}
		s := domain.OfferSummary{ID: fmt.Sprintf("%032x", i), Name: "x", Items: 1, Entries: 1, Bytes: 1}
		if err := ben.offers.Offered(of, s); errors.Is(err, domain.ErrBusy) {
			busy++
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if busy != 120-(100-8) {
		t.Errorf("%d of 120 strangers were told to wait", busy)
	}
	befriend(t, cleo, ben)
	small, _ := present(t, "Small", mib)
	lie := cleo.send(t, ben, "", small)
	ben.offer(t, lie, domain.OfferAsked)
	if _, _, err := cleo.library.Offer(t.Context(), lie, ben.host.ID(), []string{folder}, nil); err != nil {
		t.Fatal(err)
	}
	if err := ben.offers.Accept(t.Context(), lie, ""); err != nil {
		t.Fatal(err)
	}
	if o := ben.offer(t, lie, domain.OfferFailed); o.Reason.String() != "cleo offered something else than was announced." {
		t.Errorf("it failed: %s", o.Reason)
	}
	if _, err := os.Stat(ben.opts.downloads); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("something was made for it: %v", err)
	}
}
