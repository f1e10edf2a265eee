// Package control is how a command, or a second launch, reaches the Potluck
// that runs on a data folder: a local socket that only this user can open.
//
// It speaks HTTP with JSON: a call is a POST to /v1/NAME, its answer is a
// stream of lines, each an object with either "value" or, at the end, "error".
// Server and Client may be used from any goroutine.
package control

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/potluck-share/potluck/app/domain"
)

// maxRequest bounds what a call may carry, in bytes: many long paths.
const maxRequest = 16 << 20

// line is one line of an answer.
type line struct {
	Value   json.RawMessage `json:"value,omitempty"`
	Error   string          `json:"error,omitempty"` // as domain.ErrorKind names it
	Message string          `json:"message,omitempty"`
	End     bool            `json:"end,omitempty"`
}

// Handler answers one kind of call. It decodes request, emits any number of
// values, and returns the outcome. The context ends when the caller goes away.
type Handler func(ctx context.Context, request json.RawMessage, emit func(value any) error) error

// Typed makes a Handler from a function with a typed request.
func Typed[T any](f func(ctx context.Context, request T, emit func(value any) error) error) Handler {
	return func(ctx context.Context, raw json.RawMessage, emit func(any) error) error {
		var request T
		if len(raw) > 0 {
			if err := json.Unmarshal(raw, &request); err != nil {
				return fmt.Errorf("%w: %w", domain.ErrMalformed, err)
			}
		}
		return f(ctx, request, emit)
	}
}

// Server answers calls on a listener.
type Server struct {
	http *http.Server
	log  *slog.Logger
	stop context.CancelCauseFunc // of all calls
	done sync.WaitGroup
}

// errStopped is what calls are told that are answered while the server ends.
var errStopped = fmt.Errorf("%w any more: it was stopped", domain.ErrNotRunning)

// Serve starts answering on l, which it owns from now on. A handler without a
// name answers all calls that have none of their own.
func Serve(l net.Listener, handlers map[string]Handler, log *slog.Logger) *Server {
	mux := http.NewServeMux()
	ctx, stop := context.WithCancelCause(context.Background())
	s := &Server{log: log, stop: stop}
	for name, h := range handlers {
		mux.HandleFunc("POST /v1/"+name, func(w http.ResponseWriter, r *http.Request) { s.answer(w, r, h) })
	}
	s.http = &http.Server{
		Handler: mux, ReadHeaderTimeout: 10 * time.Second,
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	s.done.Go(func() {
		if err := s.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			log.Error("the control socket stopped", "err", err)
		}
	})
	return s
}

// Close ends the listener and the contexts of all calls, and waits for them. A
// call that does not end within 2 s is cut off.
func (s *Server) Close() error {
	s.stop(errStopped)
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	err := s.http.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = s.http.Close()
	}
	s.done.Wait()
	return err
}

func (s *Server) answer(w http.ResponseWriter, r *http.Request, h Handler) {
	request, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	if err != nil {
		http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
		return
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	flush := http.NewResponseController(w)
	var mu sync.Mutex // a handler may emit from several goroutines
	enc := json.NewEncoder(w)
	send := func(l line) error {
		mu.Lock()
		defer mu.Unlock()
		if err := enc.Encode(l); err != nil {
			return err
		}
		return flush.Flush()
	}
	err = h(r.Context(), request, func(value any) error {
		raw, err := json.Marshal(value)
		if err != nil {
			return err
		}
		return send(line{Value: raw})
	})
	if cause := context.Cause(r.Context()); err != nil && errors.Is(cause, errStopped) {
		err = cause
	}
	last := line{End: true}
	if err != nil {
		last.Error, last.Message = domain.ErrorKind(err), err.Error()
	}
	if err := send(last); err != nil && r.Context().Err() == nil {
		s.log.Debug("answering a command", "err", err)
	}
}

// Error is a failure that the running Potluck reported. errors.Is finds its
// kind.
type Error struct {
	Kind    string
	Message string
}

func (e *Error) Error() string { return e.Message }

// Unwrap returns the sentinel of the kind, or nil.
func (e *Error) Unwrap() error { return domain.ErrorOfKind(e.Kind) }

// Client calls the Potluck behind a socket.
type Client struct {
	http *http.Client
}

// NewClient returns a client that connects by dial.
func NewClient(dial func(ctx context.Context) (net.Conn, error)) *Client {
	return &Client{http: &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) },
	}}}
}

// Call makes a call and hands each value of the answer to each. It returns
// each's error, or an *Error with what the other side said.
func (c *Client) Call(ctx context.Context, name string, request any, each func(json.RawMessage) error) error {
	body, err := json.Marshal(request)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://potluck/v1/"+name, bytes.NewReader(body))
	if err != nil {
		return err
	}
	answer, err := c.http.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }() // nothing is lost: it was read to its end line
	if answer.StatusCode == http.StatusNotFound {
		return fmt.Errorf("%w: the running Potluck does not know the command %q; restart it", domain.ErrVersion, name)
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("the running Potluck answered %s", answer.Status)
	}
	lines := json.NewDecoder(bufio.NewReader(answer.Body))
	for {
		var l line
		if err := lines.Decode(&l); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return fmt.Errorf("%w: it stopped before it answered", domain.ErrNotRunning)
		}
		switch {
		case l.Error != "":
			return &Error{Kind: l.Error, Message: l.Message}
		case l.End:
			return nil
		case each != nil:
			if err := each(l.Value); err != nil {
				return err
			}
		}
	}
}
