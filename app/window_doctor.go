//go:build !headless

package app

import (
	"context"

	"github.com/potluck-share/potluck/app/domain"
)

// doctorFront is the part of front that is about the check-up.
type doctorFront struct{ *front }

// Check is doctor.Doctor.Check.
func (f doctorFront) Check(ctx context.Context) []domain.Finding {
	if n := f.node.Load(); n != nil {
		return n.doctor.Check(ctx)
	}
	return nil
}

// CheckPerson is doctor.Doctor.CheckPerson.
func (f doctorFront) CheckPerson(ctx context.Context, id domain.PeerID) ([]domain.Finding, error) {
	n, err := f.ready()
	if err != nil {
		return nil, err
	}
	return n.doctor.CheckPerson(ctx, id)
}
