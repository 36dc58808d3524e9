package shopify

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/rs/zerolog"
)

// The headers in which Shopify says how it took a request.
const (
	headerVersion    = "X-Shopify-API-Version"
	headerDeprecated = "X-Shopify-API-Deprecated-Reason"
)

// warnAhead is how long before the end of a version its user is warned.
const warnAhead = 60 * 24 * time.Hour

// versions compares the version of the API that was asked for with the one
// that answers. A version that has ended does not fail: the shop answers as
// the oldest that it still has.
type versions struct {
	asked string
	now   func() time.Time
	log   zerolog.Logger

	mu     sync.Mutex
	served string   // the last that answered; "": none has said
	said   []string // warnings that were given
}

func newVersions(asked string, now func() time.Time, log zerolog.Logger) *versions {
	return &versions{asked: asked, now: now, log: log}
}

// heed reads the headers of an answer and warns of what they tell, of each
// thing once.
func (v *versions) heed(h http.Header) {
	if served := h.Get(headerVersion); served != "" {
		v.mu.Lock()
		v.served = served
		v.mu.Unlock()
	}
	if served := v.differs(); served != "" {
		v.warn(otherVersion(v.asked, served))
	}
	if reason := h.Get(headerDeprecated); reason != "" {
		v.warn("Shopify says that a part of what is asked will go: " + reason + "; bring Comptoir up to date")
	}
	if note := v.ending(); note != "" {
		v.warn(note)
	}
}

// differs returns the version that answers where it is not the one that was
// asked for; else "".
func (v *versions) differs() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.served == v.asked {
		return ""
	}
	return v.served
}

func otherVersion(asked, served string) string {
	return fmt.Sprintf("Shopify answers as version %s of its API, and not as %s, which was asked for: it has ended or never was; set api_version to one that Shopify serves",
		served, asked)
}

// ending returns a warning where the version that is asked for ends soon or
// has ended; else "".
func (v *versions) ending() string {
	end, ok := endOf(v.asked)
	now := v.now()
	switch {
	case !ok || now.Before(end.Add(-warnAhead)):
		return ""
	case now.Before(end):
		return fmt.Sprintf("Shopify serves version %s of its API only until %s: bring Comptoir up to date and set api_version to a newer one before", v.asked, end.Format(time.DateOnly))
	default:
		return fmt.Sprintf("Shopify served version %s of its API until %s: bring Comptoir up to date and set api_version to a newer one", v.asked, end.Format(time.DateOnly))
	}
}

// endOf is when a version ends at the earliest, from its name: each is served
// for a year.
func endOf(version string) (time.Time, bool) {
	begin, err := time.Parse("2006-01", version)
	return begin.AddDate(1, 0, 0), err == nil
}

// warn logs a text once.
func (v *versions) warn(text string) {
	v.mu.Lock()
	known := slices.Contains(v.said, text)
	if !known {
		v.said = append(v.said, text)
	}
	v.mu.Unlock()
	if !known {
		v.log.Warn().Msg(text)
	}
}
