package app

import (
	"context"
	"errors"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/app/shape"
	"github.com/potluck-share/potluck/app/transfers"
	"github.com/potluck-share/potluck/app/transfers/offers"
)

func (n *node) handleTransfers(_ context.Context, _ struct{}, emit func(any) error) error {
	if err := emitAll(n.offers.Offers(), func(o domain.Offer) shape.Transfer { return shape.OfTransfer(offers.Row(o)) }, emit); err != nil {
		return err
	}
	return emitAll(n.transfers.Transfers(), shape.OfTransfer, emit)
}

// unended and unfinished say which downloads the word all stands for.
func unended(s domain.TransferState) bool    { return !s.Ended() }
func unfinished(s domain.TransferState) bool { return !s.Ended() || s == domain.Failed }

// eachTransfer makes a handler of a method that takes IDs, and tells how they
// stand then; the word all stands for every download in a state that all says.
func (n *node) eachTransfer(f func(context.Context, []string) error, all func(domain.TransferState) bool) func(context.Context, shape.IDsRequest, func(any) error) error {
	return func(ctx context.Context, r shape.IDsRequest, emit func(any) error) error {
		ids := r.IDs
		if len(ids) == 1 && ids[0] == "all" {
			ids = nil
			for _, t := range n.transfers.Transfers() {
				if t.Kind == domain.Download && all(t.State) {
					ids = append(ids, t.ID)
				}
			}
		}
		return errors.Join(f(ctx, ids), n.emitTransfers(ids, emit))
	}
}

// emitTransfers tells how the transfers stand.
func (n *node) emitTransfers(ids []string, emit func(any) error) error {
	for _, id := range ids {
		row, known := n.transfers.Transfer(id)
		if o, err := n.offers.Find(id); !known && err == nil {
			row, known = offers.Row(o), true
		}
		if !known {
			continue // it went out of the list meanwhile
		}
		if err := emit(shape.OfTransfer(row)); err != nil {
			return err
		}
	}
	return nil
}

// handleChoose changes which files of a download are wanted, if anything is
// asked for, and tells all its files.
func (n *node) handleChoose(ctx context.Context, r shape.ChooseRequest, emit func(any) error) error {
	files, err := n.transfers.Files(r.ID)
	if err != nil {
		return err
	}
	wanted := make(map[int]bool)
	for _, group := range []struct {
		patterns []string
		want     bool
	}{{r.Skip, false}, {r.Take, true}} {
		for _, pattern := range group.patterns {
			found := false
			for i := range files {
				if transfers.Means(pattern, files[i].Target) {
					wanted[i], found = group.want, true
				}
			}
			if !found {
				return transfers.NothingLike(pattern)
			}
		}
	}
	if len(wanted) > 0 {
		if err := n.transfers.Choose(ctx, r.ID, wanted); err != nil {
			return err
		}
		if files, err = n.transfers.Files(r.ID); err != nil {
			return err
		}
	}
	return emitAll(files, shape.OfFile, emit)
}

// handleLimit changes the limits that are given, and tells all.
func (n *node) handleLimit(ctx context.Context, r shape.LimitRequest, emit func(any) error) error {
	if r != (shape.LimitRequest{}) {
		from, until, err := 0, 0, error(nil)
		if r.SlowHours != nil {
			if from, until, err = domain.ParseHours(*r.SlowHours); err != nil {
				return err
			}
		}
		err = n.settings.Update(ctx, func(values *domain.Settings) {
			set(&values.UploadLimit, r.Upload)
			set(&values.DownloadLimit, r.Download)
			set(&values.DownloadsAtOnce, r.AtOnce)
			set(&values.UploadsAtOnce, r.People)
			set(&values.UploadsPerPerson, r.PerPerson)
			set(&values.SlowUpload, r.SlowUpload)
			set(&values.SlowDownload, r.SlowDownload)
			if r.SlowHours != nil {
				values.SlowFrom, values.SlowUntil = from, until
			}
		})
		if err != nil {
			return err
		}
	}
	return emit(shape.OfLimits(n.settings.Values()))
}

// set changes what is given.
func set[T any](into, value *T) {
	if value != nil {
		*into = *value
	}
}
