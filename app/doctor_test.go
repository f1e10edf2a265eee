package app_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/potluck-share/potluck/app/lab"
	"github.com/potluck-share/potluck/app/programs"
)

// finding is something that the check-up looked at.
type finding struct {
	Kind string `json:"kind"`
	OK   bool   `json:"ok"`
	What string `json:"what"`
	Do   string `json:"do"`
}

// finds waits until the check-up of m, or of somebody by m, says something.
func (m *mortal) finds(ctx context.Context, t *testing.T, ok bool, what string, who ...string) {
	t.Helper()
	var last []finding
	deadline := time.Now().Add(20 * time.Second)
	for time.Now().Before(deadline) && ctx.Err() == nil {
		last = ask[[]finding](ctx, t, m.copyOfPotluck, append([]string{"doctor"}, who...)...)
		for _, f := range last {
			if f.What == what {
				if f.OK != ok || !ok && f.Do == "" {
					t.Errorf("%s: %+v", m.name, f)
				}
				return
			}
		}
	}
	t.Errorf("%s never finds %q; it finds %+v", m.name, what, last)
}

// TestDoctor produces each fault and expects the sentence, and that it is gone
// when the fault is.
func TestDoctor(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	all := mortals(ctx, t, "ana", "ben")
	ana, ben := all[0], all[1]
	ana.meets(ctx, t, "ben")
	ben.meets(ctx, t, "ana")
	network := ask[[]struct{ Name string }](ctx, t, ana.copyOfPotluck, "networks")[0].Name
	ana.finds(ctx, t, true, "One person is here.")
	ana.finds(ctx, t, true, "Potluck calls out and listens on "+network+".")
	ana.finds(ctx, t, true, "Potluck listens on port 17685.")
	ana.finds(ctx, t, true, "ben can reach this computer.")
	ana.finds(ctx, t, true, "ben is here.", "ben")

	ana.host.Drop("input tcp dport 17685 ct state new")
	ana.finds(ctx, t, false, "ben can't reach this computer: a firewall is likely.")
	ana.finds(ctx, t, false, "ben can't reach this computer: a firewall is likely.", "ben")
	ana.host.Drop("input udp dport 5353")
	ana.finds(ctx, t, false, "What Potluck calls out on "+network+" isn't heard, not even here.")
	ana.host.Drop("output udp dport 5353")
	ana.finds(ctx, t, false, "Potluck can't call out on "+network+".")
	ana.host.Drop()
	ana.finds(ctx, t, true, "Potluck calls out and listens on "+network+".")

	ana.run(ctx, t, "networks", network, "friends")
	ana.finds(ctx, t, false, "On this network only friends see your shares.")
	ana.run(ctx, t, "networks", network, "show")
	ana.run(ctx, t, "hide")
	ana.finds(ctx, t, false, "You are hidden, so nobody sees you.")
	ana.run(ctx, t, "show")
	ana.meets(ctx, t, "ben")

	ana.run(ctx, t, "block", "ben")
	ana.finds(ctx, t, false, "You have blocked ben.", "ben")
	ana.run(ctx, t, "unblock", "ben")
	ana.meets(ctx, t, "ben")
	address := strings.Split(strings.TrimSpace(ben.host.IP("-4", "-o", "addr", "show", "eth0")), "inet ")[1]
	address, _, _ = strings.Cut(address, "/")
	ben.kill(t)
	ana.run(ctx, t, "hide")
	ana.finds(ctx, t, false, "You are hidden, so nobody sees you.", "ben")
	ana.run(ctx, t, "show")
	ana.finds(ctx, t, false, "ben's computer doesn't answer at "+address+".", "ben")
	ana.finds(ctx, t, false, "Somebody was heard, and nobody can be reached.")
	ana.host.IP("addr", "flush", "dev", "eth0")
	ana.host.IP("addr", "add", "10.99.0.2/24", "dev", "eth0")
	ana.finds(ctx, t, false, "ben was last at "+address+", which is another network than yours (10.99.0.0/24).", "ben")
	ana.finds(ctx, t, false, "Nobody else was heard.")
	ana.host.IP("addr", "flush", "dev", "eth0")
	ana.host.IP("addr", "add", "203.0.113.2/24", "dev", "eth0")
	ana.finds(ctx, t, false, "This network gives every computer a public address.")
	ana.host.IP("link", "set", "eth0", "down")
	ana.finds(ctx, t, false, "This computer is on no network.")
	out, err := ana.command(ctx, "--data", ana.data, "doctor", "zoe").CombinedOutput()
	if exit, ok := err.(*exec.ExitError); !ok || exit.ExitCode() != 4 { //nolint:errorlint // nothing wraps it
		t.Errorf("nobody is called zoe: %v\n%s", err, out)
	}
}

// TestDoctorFindsThatThereIsNoAddress has a cable and nobody who gives out
// addresses: only the one of IPv6 that each interface gives itself.
func TestDoctorFindsThatThereIsNoAddress(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	network := lab.Bare(t, "ana")
	network.Host("ana").Connect("cable", "eth0", "")
	all := on(t, network, "ana")
	start(ctx, t, all...)
	all[0].finds(ctx, t, false, "On eth0 this computer has no address that others can reach.")
}

// TestDoctorFindsThePortTaken has another program listen on Potluck's port.
func TestDoctorFindsThePortTaken(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	bin := programs.Headless(t)
	host := lab.New(t, "ana").Host("ana")
	m := &mortal{t: t, host: host, bin: bin}
	m.copyOfPotluck = newCopy(t, "ana", m.program)
	first := &mortal{t: t, host: host, bin: bin}
	first.copyOfPotluck = newCopy(t, "first", first.program)
	start(ctx, t, first)
	start(ctx, t, m)
	s := ask[struct {
		Port int `json:"port"`
	}](ctx, t, m.copyOfPotluck, "status")
	m.finds(ctx, t, false, "Another program uses port 17685. Potluck listens on "+strconv.Itoa(s.Port)+".")
}

// TestDoctorFindsASecondRouter has two routers, as where a provider's box stands
// before one's own: whoever is behind the second reaches those behind the first,
// who do not hear them.
func TestDoctorFindsASecondRouter(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	network := lab.Bare(t, "ana", "router", "ben")
	network.Host("ana").Connect("inner", "eth0", "192.168.8.2/24")
	router := network.Host("router")
	router.Connect("inner", "eth0", "192.168.8.1/24")
	router.Connect("outer", "eth1", "192.168.3.7/24")
	router.Route("eth1")
	network.Host("ben").Connect("outer", "eth0", "192.168.3.2/24")
	network.Host("ana").IP("route", "add", "default", "via", "192.168.8.1")
	all := on(t, network, "ana", "ben")
	start(ctx, t, all...)
	ana := all[0]
	ana.run(ctx, t, "connect", "192.168.3.2")
	ana.finds(ctx, t, false, "You seem to be behind a second router.", "ben")
	ana.finds(ctx, t, false, "ben doesn't count you as nearby yet.", "ben")
}

// TestDoctorWhereTwoDoNotCountAsNear has two on loopback, one of whom does not
// count the other as nearby.
func TestDoctorWhereTwoDoNotCountAsNear(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	all := unborn(t, "ana", "ben")
	for i, m := range all {
		args := []string{"--data", m.data, "--name", m.name, "--listen", "/ip4/127.0.0.1/tcp/0", "--json", "serve"}
		if i == 0 {
			args = append([]string{"--nearby", "127.0.0.0/8"}, args...)
		}
		m.host = all[0].host // on one computer
		m.cmd = m.program(ctx, args...)
	}
	var began sync.WaitGroup
	for _, m := range all {
		serve(t, m.copyOfPotluck, m.cmd, &began)
	}
	began.Wait()
	ana, ben := all[0], all[1]
	at := ask[struct {
		Addresses []string `json:"addresses"`
	}](ctx, t, ben.copyOfPotluck, "status").Addresses[0]
	ana.run(ctx, t, "connect", at)
	ana.finds(ctx, t, false, "ben doesn't count you as nearby yet.", "ben")
	ben.finds(ctx, t, false, "You don't count ana as nearby, so ana sees nothing of yours.", "ana")
	ana.finds(ctx, t, true, "Potluck listens to this computer only, as it was told.")
}

// TestDoctorFindsThatNotAllIsWatched has a system that lets few folders be watched
// for changes.
func TestDoctorFindsThatNotAllIsWatched(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	network := lab.New(t, "ana")
	ana := on(t, network, "ana")[0]
	ana.around = []string{"unshare", "-Ur", "sh", "-c", `echo 5 >/proc/sys/user/max_inotify_watches && exec "$0" "$@"`}
	start(ctx, t, ana)
	folder := filepath.Join(t.TempDir(), "Holiday")
	for i := range 20 {
		if err := os.MkdirAll(filepath.Join(folder, strconv.Itoa(i)), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	ana.run(ctx, t, "share", folder)
	ana.finds(ctx, t, false, "Not all shared folders can be watched, so changes are seen within ten minutes only.")
}
