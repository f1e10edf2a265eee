//go:build !headless

package app

import (
	"context"

	"github.com/potluck-share/potluck/app/domain"
)

// transfersFront is the part of front that is about transfers.
type transfersFront struct{ *front }

func (f transfersFront) Get(ctx context.Context, req domain.GetRequest) (string, error) {
	n, err := f.ready()
	if err != nil {
		return "", err
	}
	return n.transfers.Get(ctx, req)
}

// on applies a method of the transfers to ids.
func (f transfersFront) on(ctx context.Context, ids []string, method func(*node) func(context.Context, []string) error) error {
	n, err := f.ready()
	if err != nil {
		return err
	}
	return method(n)(ctx, ids)
}

func (f transfersFront) Pause(ctx context.Context, ids []string) error {
	return f.on(ctx, ids, func(n *node) func(context.Context, []string) error { return n.transfers.Pause })
}

func (f transfersFront) Resume(ctx context.Context, ids []string) error {
	return f.on(ctx, ids, func(n *node) func(context.Context, []string) error { return n.resumeTransfers })
}

func (f transfersFront) Cancel(ctx context.Context, ids []string) error {
	return f.on(ctx, ids, func(n *node) func(context.Context, []string) error { return n.cancelTransfers })
}

func (f transfersFront) Retry(ctx context.Context, ids []string) error {
	return f.on(ctx, ids, func(n *node) func(context.Context, []string) error { return n.resumeTransfers })
}

func (f transfersFront) Clear(ctx context.Context) error {
	n, err := f.ready()
	if err != nil {
		return err
	}
	return n.clearTransfers(ctx)
}

func (f transfersFront) Transfers() []domain.Transfer {
	if n := f.node.Load(); n != nil {
		return n.transfers.Transfers()
	}
	return nil
}

func (f transfersFront) Remove(ctx context.Context, ids []string) error {
	return f.on(ctx, ids, func(n *node) func(context.Context, []string) error { return n.removeTransfers })
}

func (f transfersFront) CheckAgain(ctx context.Context, ids []string) error {
	return f.on(ctx, ids, func(n *node) func(context.Context, []string) error { return n.transfers.CheckAgain })
}

func (f transfersFront) Missing(ctx context.Context, path string) error {
	n, err := f.ready()
	if err != nil {
		return err
	}
	return n.transfers.Missing(ctx, path)
}

func (f transfersFront) First(ctx context.Context, ids []string) error {
	return f.on(ctx, ids, func(n *node) func(context.Context, []string) error { return n.transfers.First })
}

func (f transfersFront) Later(ctx context.Context, ids []string) error {
	return f.on(ctx, ids, func(n *node) func(context.Context, []string) error { return n.transfers.Later })
}

func (f transfersFront) DeleteFiles(ctx context.Context, ids []string) (left int, err error) {
	n, err := f.ready()
	if err != nil {
		return 0, err
	}
	return n.transfers.DeleteFiles(ctx, ids)
}

func (f transfersFront) GetAgain(ctx context.Context, id string) (string, error) {
	n, err := f.ready()
	if err != nil {
		return "", err
	}
	return n.transfers.GetAgain(ctx, id)
}

func (f transfersFront) Providers(id string) ([]domain.TransferProvider, error) {
	n, err := f.ready()
	if err != nil {
		return nil, err
	}
	return n.transfers.Providers(id)
}

func (f transfersFront) Files(id string) ([]domain.FileProgress, error) {
	n, err := f.ready()
	if err != nil {
		return nil, err
	}
	return n.transfers.Files(id)
}

func (f transfersFront) Choose(ctx context.Context, id string, wanted map[int]bool) error {
	n, err := f.ready()
	if err != nil {
		return err
	}
	return n.transfers.Choose(ctx, id, wanted)
}
