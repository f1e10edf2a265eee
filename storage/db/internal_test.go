package db

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"go.etcd.io/bbolt"
	"google.golang.org/protobuf/proto"

	"github.com/potluck-share/potluck/app/domain"
)

var quietLog = slog.New(slog.DiscardHandler)

func TestSchemaGoesUpInOrderAndNeverDown(t *testing.T) {
	path := filepath.Join(t.TempDir(), "potluck.db")
	d, err := open(path, quietLog, migrations)
	if err != nil {
		t.Fatal(err)
	}
	version := d.Version()
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	var steps []int
	step := func(n int) migration {
		return func(*bbolt.Tx) error { steps = append(steps, n); return nil }
	}
	newer := append(append([]migration(nil), migrations...), step(1), step(2))
	d, err = open(path, quietLog, newer)
	if err != nil {
		t.Fatal(err)
	}
	if len(steps) != 2 || steps[0] != 1 || steps[1] != 2 {
		t.Fatalf("steps %v", steps)
	}
	if d.Version() != version {
		t.Fatal("the catalogue's version did not survive")
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if d, err = open(path, quietLog, newer); err != nil || len(steps) != 2 {
		t.Fatalf("migrated again: %v, %v", steps, err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := open(path, quietLog, migrations); !errors.Is(err, domain.ErrVersion) {
		t.Fatalf("a newer schema was opened: %v", err)
	}
	// It was refused, not set aside.
	if d, err = open(path, quietLog, newer); err != nil || d.SetAside() != "" {
		t.Fatalf("%v, set aside %q", err, d.SetAside())
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestFailedMigrationChangesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "potluck.db")
	broken := append(append([]migration(nil), migrations...), func(tx *bbolt.Tx) error {
		if _, err := tx.CreateBucket([]byte("half")); err != nil {
			return err
		}
		return errors.New("no luck")
	})
	if _, err := open(path, quietLog, broken); err == nil {
		t.Fatal("opened")
	}
	d, err := open(path, quietLog, migrations)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.view(func(tx *bbolt.Tx) error {
		if tx.Bucket([]byte("half")) != nil {
			t.Error("half a migration was kept")
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestWritersShareFlushes starts many writers at once and counts the
// transactions in which their writes ended up.
func TestWritersShareFlushes(t *testing.T) {
	d, err := open(filepath.Join(t.TempDir(), "potluck.db"), quietLog, migrations)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}()
	if d.bolt.NoSync || d.bolt.NoGrowSync {
		t.Fatal("writes are not flushed")
	}
	const writers = 100
	before := d.bolt.Stats()
	start := make(chan struct{})
	var group sync.WaitGroup
	for n := range writers {
		group.Go(func() {
			<-start
			if err := d.PutPerson(context.Background(), domain.Person{ID: domain.PeerID("peer " + strconv.Itoa(n))}); err != nil {
				t.Error(err)
			}
		})
	}
	close(start)
	group.Wait()
	after := d.bolt.Stats()
	diff := after.Sub(&before)
	// Each commit writes at least three pages: root bucket, leaf, meta.
	commits := diff.TxStats.GetWrite() / 3
	t.Logf("%d writers, %d page writes, at most %d commits", writers, diff.TxStats.GetWrite(), commits)
	if commits > writers/5 {
		t.Fatalf("%d commits for %d writers", commits, writers)
	}
	people, err := d.People()
	if err != nil || len(people) != writers {
		t.Fatalf("%d people, %v", len(people), err)
	}
}

func TestOneBadWriterSpoilsNoOther(t *testing.T) {
	d, err := open(filepath.Join(t.TempDir(), "potluck.db"), quietLog, migrations)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}()
	var group sync.WaitGroup
	for n := range 20 {
		group.Go(func() {
			b := domain.CatalogueBatch{PutShares: []domain.Share{{Name: strconv.Itoa(n)}}}
			if n == 7 {
				b.PutShares = append(b.PutShares, domain.Share{Name: "a/b"})
			}
			if _, err := d.Apply(context.Background(), b); (err != nil) != (n == 7) {
				t.Errorf("writer %d: %v", n, err)
			}
		})
	}
	group.Wait()
	shares, err := d.Shares()
	if err != nil || len(shares) != 19 {
		t.Fatalf("%d shares, %v", len(shares), err)
	}
}

// FuzzDecode hands arbitrary values to every decoder: none may panic, and what
// is taken keeps the limits.
func FuzzDecode(f *testing.F) {
	for _, m := range []proto.Message{
		shareTo(domain.Share{Path: "/a", Audience: domain.Audience{Kind: domain.Chosen, Peers: []domain.PeerID{"x"}}, Entries: 1, Bytes: 2}),
		entryTo(domain.Entry{Size: 7, Content: domain.ContentID{1}}),
		transferTo(domain.Transfer{Path: "a", Folder: "/b", Reason: domain.Say("c")}),
	} {
		raw, err := encode(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Add([]byte{})
	f.Add([]byte{0x10, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01})
	f.Fuzz(func(t *testing.T, raw []byte) {
		if s, err := decodeShare("name", raw); err == nil {
			if len(s.Path) > maxLocalPath || len(s.Audience.Peers) > maxPeers || s.Entries < 0 || s.Bytes < 0 {
				t.Errorf("share %+v", s)
			}
		}
		if e, _, err := decodeEntry("path", raw); err == nil && (e.Size < 0 || e.Size > domain.MaxFileSize) {
			t.Errorf("entry %+v", e)
		}
		if e, err := decodeFile("path", raw); err == nil && (e.Size < 0 || e.Size > domain.MaxFileSize) {
			t.Errorf("file %+v", e)
		}
		if c, err := decodeChange(raw); err == nil {
			if c.Path == "" || len(c.Path) > domain.MaxPath || c.Entry != nil && c.Entry.Path != c.Path {
				t.Errorf("change %+v", c)
			}
		}
		if h, err := decodeHead("peer", raw); err == nil && (h.Head.Entries < 0 || h.Head.Bytes < 0) {
			t.Errorf("head %+v", h)
		}
		if p, err := decodePerson("peer", raw); err == nil && len(p.Addresses) > maxAddresses {
			t.Errorf("person with %d addresses", len(p.Addresses))
		}
		if tr, err := decodeTransfer("id", raw); err == nil && len(tr.Path) > domain.MaxPath {
			t.Errorf("transfer %+v", tr)
		}
		if p, err := decodePart(raw); err == nil && len(p.Target) > domain.MaxPath {
			t.Errorf("part %+v", p)
		}
	})
}
