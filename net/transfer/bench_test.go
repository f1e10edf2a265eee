package transfer_test

import (
	"testing"

	"github.com/potluck-share/potluck/net/host"
	"github.com/potluck-share/potluck/net/transfer"
	"github.com/potluck-share/potluck/net/transfer/fetch"
	"github.com/potluck-share/potluck/net/transfer/provide"
)

// BenchmarkFetch fetches 256 MiB from memory into memory, over a bulk
// connection and over a stream.
func BenchmarkFetch(b *testing.B) {
	const size = 256 << 20
	for _, c := range []struct {
		name  string
		serve func(*host.Host, *provide.Provider)
	}{
		{"bulk", func(h *host.Host, p *provide.Provider) { transfer.Serve(h, p, nil) }},
		{"stream", serveStreams},
	} {
		b.Run(c.name, func(b *testing.B) {
			from, to := start(b, "/ip4/127.0.0.1/tcp/0"), start(b, "/ip4/127.0.0.1/tcp/0")
			food := newPlate(b, size)
			provider := provide.New(provide.Config{Source: food})
			b.Cleanup(provider.Close)
			c.serve(from, provider)
			if _, err := to.Connect(b.Context(), from.Addresses()[0]+"/p2p/"+string(from.ID())); err != nil {
				b.Fatal(err)
			}
			fetcher := fetch.New(fetch.Config{Open: transfer.Dialer{Host: to}})
			defer func() { _ = fetcher.Close() }() // always nil
			into := newBowl(size)
			b.SetBytes(size)
			for b.Loop() {
				clear(into.has)
				into.done, into.known = 0, false
				if err := fetcher.Fetch(b.Context(), food.sum.ID, size, into, fetch.Fixed{from.ID()}, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
