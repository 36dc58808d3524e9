package rest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"comptoir/connectors"
)

const file = "0123456789"

// depot serves the file from where it is asked for.
func depot(_ int, req *http.Request) (*http.Response, error) {
	var from int
	if _, err := fmt.Sscanf(req.Header.Get("Range"), "bytes=%d-", &from); err != nil {
		return says(req, 200, file), nil
	}
	if from >= len(file) {
		return says(req, 416, "", "Content-Range", fmt.Sprintf("bytes */%d", len(file))), nil
	}
	return says(req, 206, file[from:], "Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(file)-1, len(file))), nil
}

// deaf is a server that does not know of parts.
func deaf(_ int, req *http.Request) (*http.Response, error) { return says(req, 200, file), nil }

func read(t *testing.T, w wire, offset int64, change func(*Options)) (string, error) {
	t.Helper()
	c, _ := client(w, change)
	body, err := c.Stream(t.Context(), "test: read the file", address, nil, offset)
	if err != nil {
		return "", err
	}
	defer func() {
		if err := body.Close(); err != nil {
			t.Error(err)
		}
	}()
	text, err := io.ReadAll(body)
	return string(text), err
}

func TestFileIsReadFromWhereItBroke(t *testing.T) {
	for name, w := range map[string]wire{"with parts": depot, "without parts": deaf} {
		for offset := range int64(len(file) + 1) {
			if text, err := read(t, w, offset, nil); err != nil || text != file[offset:] {
				t.Errorf("%s, from %d: %q, %v", name, offset, text, err)
			}
		}
	}
}

func TestFileThatIsNotTheOneBefore(t *testing.T) {
	for name, w := range map[string]wire{
		"shorter, with parts":    depot,
		"shorter, without parts": deaf,
		"another part": func(_ int, req *http.Request) (*http.Response, error) {
			return says(req, 206, "89", "Content-Range", "bytes 8-9/10"), nil
		},
		"a part that says nothing": func(_ int, req *http.Request) (*http.Response, error) { return says(req, 206, "x"), nil },
	} {
		if text, err := read(t, w, 11, nil); err == nil || text != "" {
			t.Errorf("%s: %q", name, text)
		}
	}
}

func TestRefusedFile(t *testing.T) {
	for _, tt := range []struct {
		status   int
		class    connectors.Class
		attempts int64
	}{{403, connectors.Denied, 1}, {404, connectors.Rejected, 1}, {503, connectors.Transient, DefaultRetries + 1}} {
		synctest.Test(t, func(t *testing.T) {
			open := 0
			c, n := client(func(_ int, req *http.Request) (*http.Response, error) {
				res := says(req, tt.status, "<Error/>")
				open++
				res.Body = closing{res.Body, func() { open-- }}
				return res, nil
			}, nil)
			_, err := c.Stream(t.Context(), "test: read the file", address+"?signature=s3cret", nil, 0)
			var status *StatusError
			if e := classOf(t, err); e.Class != tt.class || n.n.Load() != tt.attempts || !errors.As(err, &status) || string(status.Body) != "<Error/>" {
				t.Errorf("%d: %s after %d attempts: %v", tt.status, e.Class, n.n.Load(), err)
			}
			if open != 0 || strings.Contains(err.Error(), "s3cret") {
				t.Errorf("%d: %d answers were left open: %v", tt.status, open, err)
			}
		})
	}
}

// closing tells when it is closed.
type closing struct {
	io.ReadCloser
	closed func()
}

func (c closing) Close() error {
	c.closed()
	return c.ReadCloser.Close()
}

// A file may take as long as it wants, as long as it comes; and so may its
// reader.
func TestOnlyAFileThatStandsStillTimesOut(t *testing.T) {
	slow := func(pieces int, every time.Duration) wire {
		return func(_ int, req *http.Request) (*http.Response, error) {
			res := says(req, 200, "")
			res.ContentLength = -1
			res.Body = io.NopCloser(&dripping{req.Context(), pieces, every})
			return res, nil
		}
	}
	limit := func(o *Options) { o.Timeout, o.MaxBody, o.MaxInFlight = 10*time.Second, 4, 1 }
	synctest.Test(t, func(t *testing.T) {
		if text, err := read(t, slow(100, 9*time.Second), 0, limit); err != nil || len(text) != 100 {
			t.Errorf("%d pieces: %v", len(text), err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		_, err := read(t, slow(100, 11*time.Second), 0, limit)
		if e := classOf(t, err); e.Class != connectors.Transient || !errors.Is(err, ErrTimeout) || time.Since(begun) != 10*time.Second {
			t.Errorf("after %v: %v", time.Since(begun), err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		c, _ := client(depot, limit)
		body, err := c.Stream(t.Context(), "test: read the file", address, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		// While it is open, other requests go on.
		if _, err := get(t.Context(), c); err == nil || errors.Is(err, ErrTimeout) {
			t.Errorf("another request: %v", err) // the file is larger than a page may be
		}
		if text, err := io.ReadAll(body); err != nil || string(text) != file {
			t.Errorf("%q, %v", text, err)
		}
		_ = body.Close()
	})
}

// dripping gives a byte now and then.
type dripping struct {
	ctx   context.Context
	left  int
	every time.Duration
}

func (d *dripping) Read(p []byte) (int, error) {
	if d.left == 0 {
		return 0, io.EOF
	}
	select {
	case <-time.After(d.every):
	case <-d.ctx.Done():
		return 0, d.ctx.Err()
	}
	d.left--
	p[0] = 'x'
	return 1, nil
}

func TestFileThatBreaksOff(t *testing.T) {
	broken := func(_ int, req *http.Request) (*http.Response, error) {
		res := says(req, 200, "")
		res.ContentLength = 100
		res.Body = io.NopCloser(io.MultiReader(strings.NewReader("01"), failing{syscall.ECONNRESET}))
		return res, nil
	}
	text, err := read(t, broken, 0, nil)
	if e := classOf(t, err); e.Class != connectors.Transient || text != "01" || e.Op != "test: read the file" {
		t.Errorf("%q, %v", text, err)
	}
	short := func(_ int, req *http.Request) (*http.Response, error) {
		res := says(req, 200, "01")
		res.ContentLength = 100
		return res, nil
	}
	if text, err := read(t, short, 0, nil); err == nil || text != "01" {
		t.Errorf("a file that is shorter than announced: %q, %v", text, err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestFileEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := client(func(_ int, req *http.Request) (*http.Response, error) {
			res := says(req, 200, "")
			res.ContentLength = -1
			res.Body = io.NopCloser(&dripping{req.Context(), 100, time.Second})
			return res, nil
		}, nil)
		ctx, cancel := context.WithTimeout(t.Context(), 3500*time.Millisecond)
		defer cancel()
		body, err := c.Stream(ctx, "test: read the file", address, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		if text, err := io.ReadAll(body); !connectors.Ended(err) || len(text) != 3 {
			t.Errorf("%q, %v", text, err)
		}
		_ = body.Close()
	})
}
