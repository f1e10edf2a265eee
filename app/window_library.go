//go:build !headless

package app

import (
	"context"

	"github.com/potluck-share/potluck/app/domain"
)

// libraryFront is the part of front that is about what the user shares.
type libraryFront struct{ *front }

func (f libraryFront) Share(ctx context.Context, paths []string, audience domain.Audience) (domain.ShareReport, error) {
	n, err := f.ready()
	if err != nil {
		return domain.ShareReport{}, err
	}
	return n.library.Share(ctx, paths, audience)
}

func (f libraryFront) Unshare(ctx context.Context, names []string) error {
	n, err := f.ready()
	if err != nil {
		return err
	}
	return n.library.Unshare(ctx, names)
}

func (f libraryFront) Restore(ctx context.Context, s domain.Share) error {
	n, err := f.ready()
	if err != nil {
		return err
	}
	return n.library.Restore(ctx, s)
}

func (f libraryFront) SetAudience(ctx context.Context, name string, audience domain.Audience) error {
	n, err := f.ready()
	if err != nil {
		return err
	}
	return n.library.SetAudience(ctx, name, audience)
}

func (f libraryFront) Move(ctx context.Context, name, path string) error {
	n, err := f.ready()
	if err != nil {
		return err
	}
	return n.library.Move(ctx, name, path)
}

func (f libraryFront) Assess(ctx context.Context, paths []string) []domain.Risk {
	if n := f.node.Load(); n != nil {
		return n.library.Assess(ctx, paths)
	}
	return nil
}

func (f libraryFront) Shares() []domain.Share {
	if n := f.node.Load(); n != nil {
		return n.library.Shares()
	}
	return nil
}

// Files lists what lies directly in a folder of an own share, as
// library.Library.Files.
func (f libraryFront) Files(ctx context.Context, share, folder, after string, limit int) (rows []domain.ShareFile, next string, err error) {
	n, err := f.ready()
	if err != nil {
		return nil, "", err
	}
	return n.library.Files(ctx, share, folder, after, limit)
}

func (f libraryFront) DefaultAudience() domain.Audience { return f.settings.Values().Audience }

// Fetchers tells who fetched from an own share, as library.Library.Fetchers.
func (f libraryFront) Fetchers(ctx context.Context, share string) ([]domain.Fetcher, error) {
	n, err := f.ready()
	if err != nil {
		return nil, err
	}
	return n.library.Fetchers(ctx, share)
}
