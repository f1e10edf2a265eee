package ui

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/app/event"
)

// fake stands in for the use cases, which live in rooms that the window must
// not import. It keeps what it is asked to do and publishes it as they would.
type fake struct {
	bus *event.Bus

	mu      sync.Mutex
	calls   []string
	shares  map[string]domain.Share
	values  domain.Settings
	results []domain.Result
	risks   []domain.Risk
	crash   string
	link    func(ctx context.Context, text string) (domain.LinkTarget, error)
	memory  domain.WindowState
	blocked []domain.Peer
	slow    time.Duration                           // how long a look into a file takes
	report  func(paths []string) domain.ShareReport // nil: all are shared
	refuses error                                   // to share again
}

func newFake() *fake {
	f := &fake{bus: event.NewBus(), shares: map[string]domain.Share{}, values: domain.Settings{
		Name: "Mira", Downloads: "/home/mira/Downloads/Potluck", KeepRunning: true, Notify: true, Introduced: true,
	}}
	at := time.Date(2026, 11, 12, 9, 0, 0, 0, time.UTC)
	ana := func(path string) []domain.Provider {
		return []domain.Provider{{Peer: "12D3KooWpeer0", Name: "Ana", Path: path, Online: true}}
	}
	folder := func(path string, files int, size int64) domain.Result {
		r := domain.Result{Entry: domain.Entry{Path: path, Folder: true, Size: size, Modified: at}, Entries: files, Providers: ana(path)}
		return r
	}
	f.results = append(f.results, folder("Holiday", 214, 3_100_000_000), folder("Music", 1204, 8_000_000_000), folder("Holiday/img", 12, 90_000_000))
	for i, name := range []string{"song.mp3", "talk.mp4", "book.pdf", "backup.tar.gz", "setup.exe", "data.bin"} {
		path := "Holiday/" + name
		r := domain.Result{Entry: domain.Entry{Path: path, Size: int64(1000 * (i + 1) * (i + 1) * 900), Modified: at.AddDate(0, -i, 0)}, Providers: ana(path)}
		r.Content[0], r.Content[1] = byte(i), 2
		r.Providers[0].Online = i != 1
		f.results = append(f.results, r)
	}
	for i := range 200 {
		path := fmt.Sprintf("Holiday/IMG_%04d.jpg", i)
		r := domain.Result{Entry: domain.Entry{Path: path, Size: int64(4_200_000 + i*1000), Modified: at.Add(time.Duration(i) * time.Minute)}, Providers: ana(path), Have: i == 1}
		r.Content[0], r.Content[1] = byte(i), 1
		if i == 2 {
			r.Providers = append(r.Providers, domain.Provider{Peer: "12D3KooWcleo", Name: "Cleo", Path: path})
		}
		f.results = append(f.results, r)
	}
	long := "Holiday/A picture with a name that is much too long to fit into any column of this window 0042.jpg"
	f.results = append(f.results,
		domain.Result{Entry: domain.Entry{Path: long, Size: 1, Modified: at}, Providers: ana(long)},
		domain.Result{Entry: domain.Entry{Path: "readme.md", Size: 1200, Modified: time.Now().Add(-time.Hour)}, Providers: ana("readme.md")},
		domain.Result{Entry: domain.Entry{Path: "Films", Folder: true, Size: 812e6, Modified: at}, Entries: 3, Providers: []domain.Provider{{Peer: "12D3KooWcleo", Name: "Cleo", Path: "Films"}}},
		domain.Result{Entry: domain.Entry{Path: "Recipes", Folder: true, Size: 2e6, Modified: at}, Entries: 12, Providers: []domain.Provider{{Peer: "12D3KooWgran", Name: "Grandma's laptop with a rather long name that does not fit", Path: "Recipes"}}})
	return f
}

// fakeLibrary is the fake with the methods that another use case has too.
type fakeLibrary struct{ *fake }

func (f *fake) Check(context.Context) []domain.Finding {
	f.note("check up")
	return []domain.Finding{
		{Kind: "port", OK: true, What: domain.Say("Potluck listens on port %s.", "17685")},
		{Kind: "heard", What: domain.Say("Nobody else was heard."), Do: domain.Say("Open Potluck on the other computer. If it is open there, this network keeps its guests apart: connect to an address, or send an invitation.")},
	}
}

func (f *fake) CheckPerson(_ context.Context, id domain.PeerID) ([]domain.Finding, error) {
	f.note("check up %s", id)
	return nil, domain.Fault(domain.ErrNotFound, "nothing is known of %s", string(id))
}

// fakeNetworks is the fake with the methods of networks.
type fakeNetworks struct{ *fake }

func (f fakeNetworks) Networks() []domain.Network {
	return []domain.Network{{ID: "gateway:1", Name: "192.168.3.x", Answer: domain.NetworkFriends, Present: true}, {ID: "gateway:2", Name: "10.0.0.x", Answer: domain.NetworkShow}}
}

func (f fakeNetworks) Answer(_ context.Context, id string, answer domain.NetworkAnswer) error {
	f.note("network %s %s", id, answer)
	return nil
}

func (f *fake) core() Core {
	return Core{Bus: f.bus, People: f, Browse: f, Library: fakeLibrary{f}, Transfers: f, Offers: f, Networks: fakeNetworks{f}, Doctor: f, Settings: f, Program: f, Memory: f, Version: "0.1.0"}
}

func (f *fake) note(format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, fmt.Sprintf(format, args...))
}

func (f *fake) called() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.calls...)
}

func (f *fake) Connect(_ context.Context, address string) (domain.Peer, error) {
	f.note("connect %s", address)
	return domain.Peer{}, fmt.Errorf("nobody answered at %s: %w", address, domain.ErrNotFound)
}

func (f *fake) AddFriend(_ context.Context, id domain.PeerID) error {
	f.note("add %s", id)
	return nil
}

func (f *fake) ConfirmFriend(_ context.Context, id domain.PeerID) error {
	f.note("confirm %s", id)
	return nil
}

func (f *fake) DeclineFriend(_ context.Context, id domain.PeerID) error {
	f.note("decline %s", id)
	return nil
}

func (f *fake) RemoveFriend(_ context.Context, id domain.PeerID) error {
	f.note("remove %s", id)
	return nil
}

func (f *fake) RestoreFriend(_ context.Context, id domain.PeerID) error {
	f.note("restore %s", id)
	return nil
}

func (f *fake) Block(_ context.Context, id domain.PeerID) error {
	f.note("block %s", id)
	return nil
}

func (f *fake) Unblock(_ context.Context, id domain.PeerID) error {
	f.note("unblock %s", id)
	return nil
}

func (f *fake) AcceptUpTo(_ context.Context, id domain.PeerID, bytes int64) error {
	f.note("accept up to %s %d", id, bytes)
	return nil
}

func (f *fake) Send(_ context.Context, to domain.PeerID, paths []string, note string) (string, error) {
	f.note("send %s %s %s", to, strings.Join(paths, " "), note)
	return "0123456789abcdef0123456789abcdef", nil
}

func (f *fake) Accept(_ context.Context, id, to string) error {
	f.note("accept %s %s", id, to)
	return nil
}

func (f *fake) Decline(_ context.Context, id string) error {
	f.note("decline %s", id)
	return nil
}

func (f *fake) Blocked() []domain.Peer { return f.blocked }

func (f *fake) Rename(_ context.Context, id domain.PeerID, given string) error {
	f.note("rename %s %s", id, given)
	return nil
}

func (f *fake) Invite(context.Context) (domain.Invitation, error) {
	f.note("invite")
	return domain.Invitation{
		Link: "potluck:invite/12D3KooWmira/abcdefghijklmnopqrstuvwxyz?name=Mira&at=/ip4/192.168.1.7/tcp/17685", Expires: time.Now().Add(10 * time.Minute),
	}, nil
}

func (f *fake) Join(_ context.Context, link domain.Link) (domain.Peer, error) {
	f.note("join %s", link.Peer)
	return domain.Peer{}, nil
}

func (f *fake) List(_ context.Context, peer domain.PeerID, folder string) ([]domain.Result, error) {
	var out []domain.Result
	for _, r := range f.results {
		dir := strings.TrimPrefix(filepath.ToSlash(filepath.Dir(r.Path)), ".")
		if dir == folder && (peer == "" || r.Providers[0].Peer == peer) {
			out = append(out, r)
		}
	}
	return out, nil
}

func (f *fake) Search(_ context.Context, words string, peer domain.PeerID, limit int, keep func(domain.Entry) bool) ([]domain.Result, error) {
	var out []domain.Result
	for _, r := range f.results {
		if strings.Contains(strings.ToLower(r.Name()), strings.ToLower(words)) && (peer == "" || r.Providers[0].Peer == peer) && len(out) < limit && (keep == nil || keep(r.Entry)) {
			out = append(out, r)
		}
	}
	return out, nil
}

func (f *fake) Ask(context.Context, string, domain.PeerID) (bool, error) { return false, nil }

// Peek makes up a picture, or a text.
func (f *fake) Peek(ctx context.Context, req domain.PeekRequest) (domain.Peek, error) {
	f.note("peek %s", req.Path)
	select {
	case <-ctx.Done():
		return domain.Peek{}, ctx.Err()
	case <-time.After(f.slow):
	}
	if !strings.HasSuffix(req.Path, ".jpg") {
		text := strings.Repeat("Potluck is for sharing files with the people around you.\n\n- drop files into the window\n- look what others share\n", 20)
		return domain.Peek{Content: req.Content, Size: req.Size, Data: []byte(text[:min(int(req.Most), len(text))])}, nil
	}
	made := image.NewRGBA(image.Rect(0, 0, 640, 420))
	for y := range 420 {
		for x := range 640 {
			made.Set(x, y, color.RGBA{uint8(x / 3), uint8(y/2 + int(req.Content[0])), uint8(255 - x/4), 255})
		}
	}
	var data bytes.Buffer
	err := jpeg.Encode(&data, made, nil)
	return domain.Peek{Content: req.Content, Size: int64(data.Len()), Data: data.Bytes(), Whole: true}, err
}

func (f *fake) Again(peer domain.PeerID) { f.note("again %s", peer) }

func (f *fake) Where(domain.ContentID) string { return "/etc/hosts" }

func (f *fake) Share(_ context.Context, paths []string, audience domain.Audience) (domain.ShareReport, error) {
	f.note("share %s with %s", strings.Join(paths, ","), audience)
	if f.report != nil {
		return f.report(paths), nil
	}
	var report domain.ShareReport
	for _, p := range paths {
		s := domain.Share{Name: filepath.Base(p), Path: p, Audience: audience, State: domain.ShareReady, Entries: 1, Bytes: 1000, Added: time.Now()}
		f.mu.Lock()
		_, known := f.shares[s.Name]
		f.shares[s.Name] = s
		f.mu.Unlock()
		if known {
			report.Already = append(report.Already, s)
			continue
		}
		report.Shared = append(report.Shared, s)
		event.Publish(f.bus, event.Shares, s.Name, s)
	}
	return report, nil
}

func (f *fake) Unshare(_ context.Context, names []string) error {
	f.note("unshare %s", strings.Join(names, ","))
	for _, n := range names {
		f.mu.Lock()
		delete(f.shares, n)
		f.mu.Unlock()
		event.Retract(f.bus, event.Shares, n)
	}
	return nil
}

func (f *fake) Restore(_ context.Context, s domain.Share) error {
	f.note("restore %s with %s", s.Path, s.Audience)
	if f.refuses != nil {
		return f.refuses
	}
	f.mu.Lock()
	f.shares[s.Name] = s
	f.mu.Unlock()
	event.Publish(f.bus, event.Shares, s.Name, s)
	return nil
}

func (f *fake) SetAudience(_ context.Context, name string, audience domain.Audience) error {
	f.note("show %s to %s", name, audience)
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.shares[name]
	s.Audience = audience
	f.shares[name] = s
	event.Publish(f.bus, event.Shares, name, s)
	return nil
}

func (f *fake) Move(_ context.Context, name, path string) error {
	f.note("move %s to %s", name, path)
	return nil
}

func (f fakeLibrary) Fetchers(context.Context, string) ([]domain.Fetcher, error) {
	var fetchers []domain.Fetcher
	for i, name := range []string{"Ana", "Ben", "Grandma's laptop with a rather long name that does not fit", "Zoë", "Cleo", "Dan", "Ana"} {
		fetchers = append(fetchers, domain.Fetcher{
			Peer: domain.PeerID(fmt.Sprintf("12D3KooWpeer%d", i%4)), Name: name, At: time.Now().Add(-time.Duration(i*i) * time.Hour),
			Files: 1 + i*50, Bytes: int64(1+i) * 40_000_000,
		})
	}
	return fetchers, nil
}

func (f fakeLibrary) Files(_ context.Context, share, folder, after string, limit int) (rows []domain.ShareFile, next string, err error) {
	at := path.Join(share, folder)
	all := []domain.ShareFile{{Entry: domain.Entry{Path: at + "/img", Folder: true, Size: 91_000_000}, Entries: 12}}
	for i := range 2000 {
		all = append(all, domain.ShareFile{Entry: domain.Entry{Path: fmt.Sprintf("%s/IMG_%04d.jpg", at, i), Size: int64(4_200_000 + i*1000)}})
	}
	all[2].Problem = domain.Say("Can't read %s.", "IMG_0001.jpg")
	from := slices.IndexFunc(all, func(f domain.ShareFile) bool { return f.Path == after }) + 1
	rows = all[from:min(len(all), from+limit)]
	if from+limit < len(all) {
		next = rows[len(rows)-1].Path
	}
	return rows, next, nil
}

func (f *fake) Assess(context.Context, []string) []domain.Risk {
	return f.risks
}

func (f *fake) DefaultAudience() domain.Audience { return domain.Audience{Kind: domain.Everyone} }

func (f *fake) Get(_ context.Context, req domain.GetRequest) (string, error) {
	f.note("get %s from %s", req.Path, req.Peer)
	id := "get " + req.Path
	event.Publish(f.bus, event.Transfers, id, domain.Transfer{ID: id, Kind: domain.Download, Peer: req.Peer, PeerName: "Ana", Path: req.Path, Size: 100, Done: 40, State: domain.Running, Added: time.Now()})
	return id, nil
}

func (f *fake) Pause(_ context.Context, ids []string) error {
	f.note("pause %s", strings.Join(ids, ","))
	return nil
}

func (f *fake) Resume(_ context.Context, ids []string) error {
	f.note("resume %s", strings.Join(ids, ","))
	return nil
}

func (f *fake) Cancel(_ context.Context, ids []string) error {
	f.note("cancel %s", strings.Join(ids, ","))
	return nil
}

func (f *fake) Retry(_ context.Context, ids []string) error {
	f.note("retry %s", strings.Join(ids, ","))
	return nil
}

func (f *fake) First(_ context.Context, ids []string) error {
	f.note("first %s", strings.Join(ids, ","))
	return nil
}

func (f *fake) Later(_ context.Context, ids []string) error {
	f.note("later %s", strings.Join(ids, ","))
	return nil
}

// Files says that each transfer is a folder, in the midst of its third file.
func (f *fake) Files(string) ([]domain.FileProgress, error) {
	var all []domain.FileProgress
	for i, r := range f.results[3:203] {
		one := domain.FileProgress{TransferFile: domain.TransferFile{Entry: r.Entry, Target: r.Path}, State: domain.Queued}
		switch i {
		case 0, 1:
			one.State, one.Done, one.Final = domain.Done, r.Size, "/home/mira/Downloads/Potluck/"+r.Path
		case 2:
			one.State, one.Done = domain.Running, r.Size/3
		case 5:
			one.Skipped = true
		}
		all = append(all, one)
	}
	return all, nil
}

func (f *fake) Choose(_ context.Context, id string, wanted map[int]bool) error {
	f.note("choose %d of %s", len(wanted), id)
	return nil
}

func (f *fake) Providers(string) ([]domain.TransferProvider, error) {
	return []domain.TransferProvider{
		{Peer: "12D3KooWpeer0", Name: "Ana", Online: true, Serving: true, Rate: 32e6, Done: 1_200_000_000},
		{Peer: "12D3KooWpeer1", Name: "Ben", Online: true, Serving: true, Rate: 16e6, Done: 700_000_000},
		{Peer: "12D3KooWpeer3", Name: "Zoë", Online: true},
		{Peer: "12D3KooWcleo", Name: "Cleo"},
	}, nil
}

func (f *fake) GetAgain(_ context.Context, id string) (string, error) {
	f.note("get again %s", id)
	return id, nil
}

func (f *fake) Missing(_ context.Context, path string) error {
	f.note("missing %s", path)
	return nil
}

func (f *fake) CheckAgain(_ context.Context, ids []string) error {
	f.note("check %s", strings.Join(ids, ","))
	return nil
}

func (f *fake) Remove(_ context.Context, ids []string) error {
	f.note("remove %s", strings.Join(ids, ","))
	for _, id := range ids {
		event.Retract(f.bus, event.Transfers, id)
	}
	return nil
}

func (f *fake) DeleteFiles(_ context.Context, ids []string) (int, error) {
	f.note("delete %s", strings.Join(ids, ","))
	return 0, nil
}

func (f *fake) Clear(context.Context) error {
	f.note("clear")
	return nil
}

func (f *fake) Hide(_ context.Context, hidden bool) error {
	f.note("hide %v", hidden)
	return nil
}

func (f *fake) Link(ctx context.Context, text string) (domain.LinkTarget, error) {
	return f.link(ctx, text)
}

func (f *fake) LastCrash() (string, bool) { return f.crash, f.crash != "" }

func (f *fake) Window() domain.WindowState { return f.memory }

func (f *fake) KeepWindow(_ context.Context, state domain.WindowState) error {
	f.memory = state
	return nil
}

func (f *fake) Values() domain.Settings { return f.values }

func (f *fake) Update(_ context.Context, change func(*domain.Settings)) error {
	values := f.values
	change(&values)
	f.note("set %s, %s", values.Name, values.Downloads)
	if strings.ContainsAny(values.Name, ":/") || values.Name == "" {
		return fmt.Errorf("a name has no “:” and no “/”: %w", domain.ErrUsage)
	}
	f.values = values
	return nil
}
