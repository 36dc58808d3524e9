package hooks

import (
	"context"
	"errors"
	"fmt"
	stdlog "log"
	"net"
	"net/http"
	"time"

	"comptoir/erp/fault"

	"github.com/rs/zerolog"
)

// How long a sender may take, and how much of a header is read.
const (
	headerTimeout = 5 * time.Second
	writeTimeout  = 15 * time.Second // from the end of the header on
	idleTimeout   = time.Minute
	maxHeader     = 32 << 10
)

// Server takes deliveries at an address.
type Server struct {
	http   *http.Server
	listen net.Listener
	ended  chan error
}

// Start listens at an address (host:port) and serves what comes there.
func Start(address string, handler http.Handler, log zerolog.Logger) (*Server, error) {
	listen, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fault.New(fault.Unavailable, "stop what listens there, or choose another address with webhooks.listen",
			"hints cannot be taken at %s: %w", address, err)
	}
	s := &Server{listen: listen, ended: make(chan error, 1), http: &http.Server{
		Handler: handler, ReadHeaderTimeout: headerTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader,
		ErrorLog: stdlog.New(log, "", 0),
	}}
	go func() {
		err := s.http.Serve(listen)
		if !errors.Is(err, http.ErrServerClosed) {
			log.Error().Err(err).Msg("hints are no longer taken; the shops are read on their schedules")
		}
		s.ended <- err
	}()
	log.Info().Str("address", s.Address()).Msg("taking the hints of shops")
	return s, nil
}

// Address is where it listens.
func (s *Server) Address() string { return s.listen.Addr().String() }

// Stop lets what is being taken come to its end until ctx ends, and takes
// nothing more. Call it once.
func (s *Server) Stop(ctx context.Context) error {
	err := s.http.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		err = s.http.Close() // a sender that hangs is sent away
	}
	if served := <-s.ended; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	if err != nil {
		return fmt.Errorf("stop taking hints: %w", err)
	}
	return nil
}
