//go:build !headless

package app

import (
	"context"

	"github.com/potluck-share/potluck/app/domain"
)

func (f *front) Get(ctx context.Context, req domain.GetRequest) (string, error) {
	n, err := f.ready()
	if err != nil {
		return "", err
	}
	return n.transfers.Get(ctx, req)
}

// on applies a method of the transfers to ids.
func (f *front) on(ctx context.Context, ids []string, method func(*node) func(context.Context, []string) error) error {
	n, err := f.ready()
	if err != nil {
		return err
	}
	return method(n)(ctx, ids)
}

func (f *front) Pause(ctx context.Context, ids []string) error {
	return f.on(ctx, ids, func(n *node) func(context.Context, []string) error { return n.transfers.Pause })
}

func (f *front) Resume(ctx context.Context, ids []string) error {
	return f.on(ctx, ids, func(n *node) func(context.Context, []string) error { return n.transfers.Resume })
}

func (f *front) Cancel(ctx context.Context, ids []string) error {
	return f.on(ctx, ids, func(n *node) func(context.Context, []string) error { return n.transfers.Cancel })
}

func (f *front) Retry(ctx context.Context, ids []string) error {
	return f.on(ctx, ids, func(n *node) func(context.Context, []string) error { return n.transfers.Retry })
}

func (f *front) Clear(ctx context.Context) error {
	n, err := f.ready()
	if err != nil {
		return err
	}
	return n.transfers.Clear(ctx)
}

func (f *front) Transfers() []domain.Transfer {
	if n := f.node.Load(); n != nil {
		return n.transfers.Transfers()
	}
	return nil
}

func (f *front) Remove(ctx context.Context, ids []string) error {
	return f.on(ctx, ids, func(n *node) func(context.Context, []string) error { return n.transfers.Remove })
}

func (f *front) CheckAgain(ctx context.Context, ids []string) error {
	return f.on(ctx, ids, func(n *node) func(context.Context, []string) error { return n.transfers.CheckAgain })
}

func (f *front) First(ctx context.Context, ids []string) error {
	return f.on(ctx, ids, func(n *node) func(context.Context, []string) error { return n.transfers.First })
}

func (f *front) Later(ctx context.Context, ids []string) error {
	return f.on(ctx, ids, func(n *node) func(context.Context, []string) error { return n.transfers.Later })
}

func (f *front) DeleteFiles(ctx context.Context, ids []string) (left int, err error) {
	n, err := f.ready()
	if err != nil {
		return 0, err
	}
	return n.transfers.DeleteFiles(ctx, ids)
}

func (f *front) GetAgain(ctx context.Context, id string) (string, error) {
	n, err := f.ready()
	if err != nil {
		return "", err
	}
	return n.transfers.GetAgain(ctx, id)
}

func (f *front) Providers(id string) ([]domain.TransferProvider, error) {
	n, err := f.ready()
	if err != nil {
		return nil, err
	}
	return n.transfers.Providers(id)
}

func (f *front) Files(id string) ([]domain.FileProgress, error) {
	n, err := f.ready()
	if err != nil {
		return nil, err
	}
	return n.transfers.Files(id)
}

func (f *front) Choose(ctx context.Context, id string, wanted map[int]bool) error {
	n, err := f.ready()
	if err != nil {
		return err
	}
	return n.transfers.Choose(ctx, id, wanted)
}
