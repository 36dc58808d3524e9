// Package hooks takes what shops send of their own accord. Anybody can reach
// it, so it spends as little as it can on whoever it does not know: it refuses
// before it reads, reads only so much and for so long, has the connector check
// the signature over the bytes as they came, and answers once the hint is kept.
// A hint says only where to look, so the worst that a false one could do is to
// have a record read.
package hooks

import (
	"errors"
	"io"
	"net/http"
	"time"

	"comptoir/connectors"

	"github.com/rs/zerolog"
)

// The limits, where Options leaves them out.
const (
	defaultMaxBody     = 1 << 20
	defaultAtOnce      = 64
	defaultBodyTimeout = 5 * time.Second
)

// retryAfter is what senders are asked to wait where there is no room, in
// seconds.
const retryAfter = "10"

// Options say what a receiver works with. Hinter and Take are required.
type Options struct {
	// Hinter returns what checks the deliveries of a shop; false where there is
	// no such shop, or none that sends any.
	Hinter func(shop string) (connectors.Hinter, bool)
	// Take keeps a hint; it is durable when Take returns. It reports whether it
	// was taken before.
	Take func(shop string, h connectors.Hint) (repeated bool, err error)
	Now  func() time.Time
	Log  zerolog.Logger
	// MaxBody is the most bytes of a delivery: 1 MiB.
	MaxBody int64
	// AtOnce is how many deliveries are read at the same time: 64. With MaxBody
	// it bounds the memory.
	AtOnce int
	// BodyTimeout is how long a delivery may take to arrive: 5 s.
	BodyTimeout time.Duration
}

// Receiver takes deliveries at POST /hooks/SHOP. It is safe for concurrent use.
type Receiver struct {
	opts  Options
	mux   http.ServeMux
	room  chan struct{}
	tally *tally
}

// New makes a receiver.
func New(o Options) *Receiver {
	if o.MaxBody == 0 {
		o.MaxBody = defaultMaxBody
	}
	if o.AtOnce == 0 {
		o.AtOnce = defaultAtOnce
	}
	if o.BodyTimeout == 0 {
		o.BodyTimeout = defaultBodyTimeout
	}
	r := &Receiver{opts: o, room: make(chan struct{}, o.AtOnce), tally: newTally(o.Now, o.Log)}
	r.mux.HandleFunc("POST /hooks/{shop}", r.receive)
	return r
}

// Path is where the deliveries of a shop go.
func Path(shop string) string { return "/hooks/" + shop }

// ServeHTTP takes a delivery.
func (r *Receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) { r.mux.ServeHTTP(w, req) }

// Counts tells what came from each shop so far.
func (r *Receiver) Counts(shop string) Counts { return r.tally.of(shop) }

// refusal is why a delivery is not taken.
type refusal struct {
	status int
	reason Reason
}

func (r *Receiver) receive(w http.ResponseWriter, req *http.Request) {
	shop := req.PathValue("shop")
	hinter, ok := r.opts.Hinter(shop)
	if !ok {
		r.refuse(w, "", refusal{http.StatusNotFound, UnknownShop})
		return
	}
	if req.ContentLength > r.opts.MaxBody {
		r.refuse(w, shop, refusal{http.StatusRequestEntityTooLarge, TooLarge})
		return
	}
	select {
	case r.room <- struct{}{}:
		defer func() { <-r.room }()
	default:
		r.refuse(w, shop, refusal{http.StatusServiceUnavailable, NoRoom})
		return
	}
	body, refused := r.read(w, req)
	if refused != nil {
		r.refuse(w, shop, *refused)
		return
	}
	hint, err := hinter.Hint(req.Header, body)
	if err != nil {
		r.refuse(w, shop, reasonOf(err))
		return
	}
	repeated, err := r.opts.Take(shop, hint)
	if err != nil {
		r.opts.Log.Error().Err(err).Str("shop", shop).Msg("what the shop pointed at cannot be kept")
		r.refuse(w, shop, refusal{http.StatusServiceUnavailable, NotKept})
		return
	}
	r.tally.took(shop, hint, repeated)
	w.WriteHeader(http.StatusOK)
}

// read reads the body, so much and for so long.
func (r *Receiver) read(w http.ResponseWriter, req *http.Request) ([]byte, *refusal) {
	if err := http.NewResponseController(w).SetReadDeadline(time.Now().Add(r.opts.BodyTimeout)); err != nil {
		// Without it a sender could stay for ever.
		return nil, &refusal{http.StatusInternalServerError, TooSlow}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, r.opts.MaxBody))
	var large *http.MaxBytesError
	switch {
	case err == nil:
		return body, nil
	case errors.As(err, &large):
		return nil, &refusal{http.StatusRequestEntityTooLarge, TooLarge}
	default:
		return nil, &refusal{http.StatusRequestTimeout, TooSlow}
	}
}

func reasonOf(err error) refusal {
	switch {
	case errors.Is(err, connectors.ErrSignature):
		return refusal{http.StatusUnauthorized, BadSignature}
	case errors.Is(err, connectors.ErrForeign):
		return refusal{http.StatusUnauthorized, Foreign}
	default:
		return refusal{http.StatusBadRequest, Unreadable}
	}
}

// refuse answers that a delivery is not taken, without saying more than the
// status does.
func (r *Receiver) refuse(w http.ResponseWriter, shop string, why refusal) {
	r.tally.refused(shop, why.reason)
	switch why.status {
	case http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", retryAfter)
	case http.StatusRequestEntityTooLarge, http.StatusRequestTimeout:
		w.Header().Set("Connection", "close") // what is left of the body is not read
	}
	http.Error(w, http.StatusText(why.status), why.status)
}
