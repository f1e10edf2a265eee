package complain

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/potluck-share/potluck/app/domain"
)

func newTest() (c *Complaints, log *bytes.Buffer, now *time.Time) {
	log, now = new(bytes.Buffer), new(time.Time)
	*now = time.Unix(1_000_000, 0)
	c = New(slog.New(slog.NewTextHandler(log, nil)))
	c.now = func() time.Time { return *now }
	return c, log, now
}

func lines(log *bytes.Buffer) int { return strings.Count(log.String(), "\n") }

func TestAPeerIsNamedOnceInAWhile(t *testing.T) {
	t.Parallel()
	c, log, now := newTest()
	for range 1000 {
		c.About("mallory", "heads", domain.ErrMalformed)
	}
	c.About("mallory", "offers", domain.ErrMalformed)
	c.About("eve", "heads", domain.ErrMalformed)
	if lines(log) != 3 || !strings.Contains(log.String(), "peer=mallory kind=heads") || !strings.Contains(log.String(), "peer=eve") {
		t.Errorf("the log is\n%s", log)
	}
	log.Reset()
	*now = now.Add(again)
	c.About("mallory", "heads", errors.New("a\nb\x1b[31m"+strings.Repeat("x", 1000)))
	if lines(log) != 1 || !strings.Contains(log.String(), "more_before=999") || log.Len() > 600 || strings.ContainsRune(log.String(), 0x1b) {
		t.Errorf("a minute later the log is\n%s", log)
	}
}

func TestManyPeersFillNeitherLogNorMemory(t *testing.T) {
	t.Parallel()
	c, log, now := newTest()
	for i := range 100_000 {
		*now = now.Add(10 * time.Millisecond) // a thousand seconds
		c.About(domain.PeerID(fmt.Sprint(i)), "heads", domain.ErrMalformed)
	}
	if got := lines(log); got > 1000+lineBurst {
		t.Errorf("%d lines in a thousand seconds", got)
	}
	if len(c.said) > 100 {
		t.Errorf("%d are kept in mind", len(c.said))
	}
	if !strings.Contains(log.String(), "of_others=99") {
		t.Error("it is not told how many were left out")
	}
}

func TestWhoIsCutOffBreaksNothing(t *testing.T) {
	t.Parallel()
	c, log, _ := newTest()
	for _, err := range []error{nil, io.EOF, domain.ErrOffline, domain.ErrRefused, domain.ErrBusy} {
		c.Fault("ana", "heads", err)
	}
	if lines(log) != 0 {
		t.Errorf("the log is\n%s", log)
	}
	c.Fault("ana", "heads", fmt.Errorf("a head: %w", domain.ErrTooLarge))
	if lines(log) != 1 {
		t.Error("a fault is not in the log")
	}
	c.Served("eve", "heads", fmt.Errorf("streams: %w", domain.ErrBusy))
	if lines(log) != 2 {
		t.Error("who asks too much is not in the log")
	}
}
