package shopify

import (
	"errors"
	"io"
	"sync"

	"comptoir/connectors"
	"comptoir/connectors/rest"
	"comptoir/erp/intake"
)

// sizes remembers how many rows a page of each document may have: fewer after
// the shop choked on it, more again after a while.
type sizes struct {
	mu sync.Mutex
	of map[string]size
}

type size struct {
	halved uint // how often
	good   int  // pages in a row that went well
}

// defaultPageSize is the page_size at which each document is asked for as many
// rows as suit it.
const defaultPageSize = 25

// errTooDear is a request that costs more points than one may.
var errTooDear = errors.New("the request costs more than the shop allows one to")

// growAfter is after how many good pages a larger one is tried.
const growAfter = 10

func (s *sizes) now(doc string, most int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return max(most>>s.of[doc].halved, 1)
}

func (s *sizes) shrink(doc string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.set(doc, size{halved: s.of[doc].halved + 1})
}

func (s *sizes) worked(doc string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.of[doc]
	if now.halved == 0 {
		return
	}
	if now.good++; now.good >= growAfter {
		now = size{halved: now.halved - 1}
	}
	s.set(doc, now)
}

func (s *sizes) set(doc string, v size) {
	if s.of == nil {
		s.of = map[string]size{}
	}
	s.of[doc] = v
}

// sized asks for a page of at most so many rows. Where the shop chokes on it,
// half as many are asked for, down to one.
func (c *Connector) sized(r intake.Resource, doc document, most int, ask func(size int) error) error {
	most = c.scaled(most)
	for {
		size := c.sizes.now(doc.name, most)
		err := ask(size)
		if err == nil {
			c.sizes.worked(doc.name)
			return nil
		}
		if size <= 1 || !choked(err) {
			return err
		}
		c.sizes.shrink(doc.name)
		c.env.Log.Warn().Str("shop", c.env.Shop).Str("resource", string(r)).Int("page_size", size).
			Str("error", c.client.rest.Redact(err.Error())).Msg("the shop could not make this page, a smaller one is asked for")
	}
}

// scaled is how many rows a page has by the configuration that has most where
// nothing is configured.
func (c *Connector) scaled(most int) int {
	if c.cfg.PageSize < defaultPageSize {
		return min(most, c.cfg.PageSize)
	}
	return min(most*c.cfg.PageSize/defaultPageSize, maxPageSize)
}

// choked reports whether a smaller page may succeed: it cost more points than
// one request may, took too long, grew too large or broke the shop.
func choked(err error) bool {
	if errors.As(err, new(*answerError)) && connectors.ClassOf(err) == connectors.Transient || errors.Is(err, errTooDear) || errors.Is(err, rest.ErrTimeout) || errors.Is(err, rest.ErrTooLarge) || errors.Is(err, io.ErrUnexpectedEOF) {
		return true
	}
	var status *rest.StatusError
	return errors.As(err, &status) && status.Status >= 500 && connectors.ClassOf(err) == connectors.Transient
}
