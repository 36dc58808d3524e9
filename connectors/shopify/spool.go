package shopify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
)

// spool is the result of a bulk operation on disk, while it is read. It is
// larger than memory, and full of personal data: so the file has no name where
// the system allows that, nobody else can open it, and it is gone when it is
// closed or when the process dies.
type spool struct {
	file *os.File
	name string // what Close has to delete; "" where the name is gone already
	size int64  // bytes that have come so far
}

// errTooLarge means that a result is larger than the configuration allows.
var errTooLarge = errors.New("the result is larger than max_export allows")

// newSpool makes an empty spool in dir, or where the system keeps temporary
// files.
func newSpool(dir string) (*spool, error) {
	file, err := os.CreateTemp(dir, "comptoir-export-*.jsonl") // mode 0600
	if err != nil {
		return nil, spoilt{fmt.Errorf("make a file for the result: %w", err)}
	}
	s := &spool{file: file}
	if os.Remove(file.Name()) != nil {
		s.name = file.Name() // a system that keeps the name of an open file
	}
	return s, nil
}

// Close deletes the spool.
func (s *spool) Close() error {
	err := s.file.Close()
	if s.name != "" {
		err = errors.Join(err, os.Remove(s.name))
	}
	return err
}

// fill brings what is still missing. open gives the result from a byte on. A
// cut is resumed where it was as long as each attempt brings something; what
// came stays, so that a later call goes on from there.
func (s *spool) fill(ctx context.Context, limit int64, open func(offset int64) (io.ReadCloser, error)) error {
	for {
		had := s.size
		err := s.take(limit, open)
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.As(err, new(spoilt)), s.size == had:
			return err
		}
	}
}

// take makes one attempt to bring the rest.
func (s *spool) take(limit int64, open func(offset int64) (io.ReadCloser, error)) error {
	body, err := open(s.size)
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }() // only read from
	n, err := io.Copy(&spoolWriter{s.file, s.size}, io.LimitReader(body, limit-s.size+1))
	s.size += n
	if s.size > limit {
		return spoilt{fmt.Errorf("%w: more than %d bytes", errTooLarge, limit)}
	}
	return err
}

// spoolWriter tells a disk that is full from a connection that is cut.
type spoolWriter struct {
	file *os.File
	at   int64
}

func (w *spoolWriter) Write(p []byte) (int, error) {
	n, err := w.file.WriteAt(p, w.at)
	w.at += int64(n)
	if err != nil {
		err = spoilt{fmt.Errorf("keep the result: %w", err)}
	}
	return n, err
}

// spoilt is why a result cannot be used, now or when it is brought again.
type spoilt struct{ error }

func (s spoilt) Unwrap() error { return s.error }
