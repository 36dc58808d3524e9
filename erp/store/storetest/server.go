package storetest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"comptoir/erp/store"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
)

// shared is the server of this test binary. It is the one state of this
// package: tests share nothing else through which they could hand it on.
var shared lazyServer

// lazyServer starts a server when it is first asked for.
type lazyServer struct {
	mu      sync.Mutex
	asked   bool
	running *server
	err     error
}

func (l *lazyServer) server(ctx context.Context) (*server, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.asked {
		l.asked = true
		// It outlives the test that asks first.
		l.running, l.err = startServer(context.WithoutCancel(ctx))
	}
	return l.running, l.err
}

func (l *lazyServer) stop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.running != nil {
		l.running.stop()
		l.running, l.err = nil, errors.New("the tests have ended")
	}
}

// server is a PostgreSQL server with a connection to make databases.
type server struct {
	base     *url.URL
	admin    *sql.DB
	template string // of the databases, with the schema; "": none
	schema   string // of the template, see schemaOf
	process  *process

	mark string // in the names of databases, against those of other test binaries

	mu   sync.Mutex
	made int
	free []database // emptied after a test
}

// database is an empty database for one test.
type database struct{ url, name string }

// startLimit bounds how long a server may take to start and to stop.
const startLimit = time.Minute

// startServer connects to the server that the environment names, or starts a
// private one.
func startServer(ctx context.Context) (*server, error) {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	if given := os.Getenv("COMPTOIR_TEST_POSTGRES_URL"); given != "" {
		base, err := url.Parse(given)
		if err != nil {
			return nil, errors.New("COMPTOIR_TEST_POSTGRES_URL is not a URL")
		}
		return connect(ctx, base, nil)
	}
	p, base, err := startProcess(ctx)
	if err != nil {
		return nil, err
	}
	s, err := connect(ctx, base, p)
	if err != nil {
		p.stop()
		return nil, err
	}
	if err := s.makeTemplate(ctx); err != nil {
		s.stop()
		return nil, err
	}
	return s, nil
}

func connect(ctx context.Context, base *url.URL, p *process) (*server, error) {
	admin, err := sql.Open("pgx", base.String())
	if err != nil {
		return nil, err
	}
	admin.SetMaxOpenConns(1) // databases are made one after the other
	if err := admin.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("connect to the PostgreSQL server of the tests: %w", err), admin.Close())
	}
	return &server{base: base, admin: admin, process: p, mark: strings.ToLower(rand.Text()[:8])}, nil
}

// makeTemplate makes the database that the others are copied from, so that
// each test need not run the migrations. It is for a private server only: on
// another one it would stay behind where the tests are killed.
func (s *server) makeTemplate(ctx context.Context) error {
	const name = "books"
	if _, err := s.admin.ExecContext(ctx, "CREATE DATABASE "+name); err != nil {
		return err
	}
	db, err := store.Open(ctx, store.Options{URL: s.url(name)})
	if err != nil {
		return err
	}
	if err := db.Close(); err != nil {
		return err
	}
	s.template = name
	s.schema, err = keepSeeds(ctx, s.url(name))
	return err
}

func (s *server) url(database string) string {
	u := *s.base
	u.Path = "/" + database
	return u.String()
}

// take returns an empty database: one that a test before has used and that was
// emptied since, which takes a tenth of the time, or a new one.
func (s *server) take(ctx context.Context) (database, error) {
	s.mu.Lock()
	if last := len(s.free) - 1; last >= 0 {
		d := s.free[last]
		s.free = s.free[:last]
		s.mu.Unlock()
		return d, nil
	}
	s.made++
	name := fmt.Sprintf("comptoir_test_%s_%d", s.mark, s.made)
	s.mu.Unlock()

	q := "CREATE DATABASE " + name
	if s.template != "" {
		q += " TEMPLATE " + s.template
	}
	if _, err := s.admin.ExecContext(ctx, q); err != nil {
		return database{}, fmt.Errorf("make a database: %w", err)
	}
	return database{url: s.url(name), name: name}, nil
}

// giveBack takes a database back from a test that has ended.
func (s *server) giveBack(ctx context.Context, d database) error {
	if s.template != "" && empty(ctx, d.url, s.schema) == nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.free = append(s.free, d)
		return nil
	}
	_, err := s.admin.ExecContext(ctx, "DROP DATABASE "+d.name+" WITH (FORCE)")
	return err
}

func (s *server) stop() {
	s.admin.Close()
	if s.process != nil {
		s.process.stop()
	}
}
