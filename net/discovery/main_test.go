package discovery

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/potluck-share/potluck/app/domain"
)

// TestMain lets this binary be the program that runs on the lab's hosts, too.
func TestMain(m *testing.M) {
	if peer := os.Getenv("DISCOVERY_TEST_PEER"); peer != "" {
		if err := beHost(domain.PeerID(peer)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	// The hosts of a lab mostly wait, so many labs fit on few processors.
	flag.Parse()
	if err := flag.Set("test.parallel", "8"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

// report is what the program on a host prints, a line each.
type report struct {
	Ready    bool             `json:",omitempty"` // the service is about to start
	Sighting *domain.Sighting `json:",omitempty"`
	Changed  bool             `json:",omitempty"`
	Answer   *answer          `json:",omitempty"`
}

// answer is what it says to the command "state".
type answer struct {
	Network string
	Up      bool
	Heard   map[domain.PeerID]string
	Own     []string
}

// beHost runs a service and obeys commands from standard input until that
// ends.
func beHost(peer domain.PeerID) error {
	var mu sync.Mutex
	out := json.NewEncoder(os.Stdout)
	say := func(r report) {
		mu.Lock()
		defer mu.Unlock()
		_ = out.Encode(r) // the test has gone, and soon so are we
	}
	var offset atomic.Int64
	heard := make(map[domain.PeerID]bool)
	cfg := Config{
		Peer: peer,
		TCP:  func() int { return 4001 },
		UDP:  func() int { return 4002 },
		Sighted: func(s domain.Sighting) {
			mu.Lock()
			heard[s.Peer] = true
			mu.Unlock()
			say(report{Sighting: &s})
		},
		Changed:  func() { say(report{Changed: true}) },
		Log:      slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Now:      func() time.Time { return time.Now().Add(time.Duration(offset.Load())) },
		Hidden:   os.Getenv("DISCOVERY_TEST_HIDDEN") != "",
		patience: 2 * time.Second,
	}
	say(report{Ready: true})
	s, err := Start(context.Background(), cfg)
	if err != nil {
		return err
	}
	for commands := bufio.NewScanner(os.Stdin); commands.Scan(); {
		switch command, argument, _ := strings.Cut(commands.Text(), " "); command {
		case "ask":
			s.Ask()
		case "hide":
			s.Hide(argument == "true")
		case "sleep":
			d, err := time.ParseDuration(argument)
			if err != nil {
				return err
			}
			offset.Add(int64(d))
		case "state":
			a := answer{Heard: make(map[domain.PeerID]string)}
			a.Network, a.Up = s.Network()
			for _, p := range s.Prefixes() {
				a.Own = append(a.Own, p.String())
			}
			mu.Lock()
			for p := range heard {
				if network, ok := s.Heard(p); ok {
					a.Heard[p] = network
				}
			}
			mu.Unlock()
			say(report{Answer: &a})
		}
	}
	return s.Close()
}
