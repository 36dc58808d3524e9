package shopify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"comptoir/connectors"

	"github.com/rs/zerolog"
)

// desk is where a shop gives tokens, and looks at them.
type desk struct {
	life    int  // of a token, in seconds
	rotates bool // gives a new refresh token with each, and takes each only once a token of it was used

	mu      sync.Mutex
	given   int
	valid   map[string]bool   // access tokens
	refresh map[string]string // refresh token → the one before it, which ends when this one's token is used
	comes   map[string]string // access token → refresh token that came with it
	forms   []url.Values
	refused int
	breaks  bool // gives what nobody gets: the connection breaks once
}

func newDesk(life int, refresh ...string) *desk {
	d := &desk{life: life, rotates: len(refresh) > 0, valid: map[string]bool{}, refresh: map[string]string{}, comes: map[string]string{}}
	for _, token := range refresh {
		d.refresh[token] = ""
	}
	return d
}

func (d *desk) RoundTrip(req *http.Request) (*http.Response, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if strings.HasSuffix(req.URL.Path, "/admin/oauth/access_token") {
		body, _ := io.ReadAll(req.Body)
		form, _ := url.ParseQuery(string(body))
		d.forms = append(d.forms, form)
		res := d.give(req, form)
		if d.breaks {
			d.breaks = false
			return nil, io.ErrUnexpectedEOF
		}
		return res, nil
	}
	token := req.Header.Get("X-Shopify-Access-Token")
	if !d.valid[token] {
		d.refused++
		return tells(req, 401, `{"errors":"[API] Invalid API key or access token (unrecognized login or wrong password)"}`), nil
	}
	if came := d.comes[token]; came != "" {
		delete(d.refresh, d.refresh[came])
		d.refresh[came] = ""
	}
	return tells(req, 200, `{"data":{"ok":true}}`), nil
}

func (d *desk) give(req *http.Request, form url.Values) *http.Response {
	if form.Get("client_id") != "id" || form.Get("client_secret") != "s3cret" {
		return tells(req, 400, `{"error":"application_cannot_be_found","error_description":"no such app"}`)
	}
	d.given++
	access := fmt.Sprintf("access-%d", d.given)
	extra := ""
	if d.rotates {
		old := form.Get("refresh_token")
		if _, ok := d.refresh[old]; !ok || form.Get("grant_type") != "refresh_token" {
			return tells(req, 400, `{"error":"invalid_grant","error_description":"token was used up"}`)
		}
		next := fmt.Sprintf("refresh-%d", d.given)
		d.refresh[next] = old
		d.comes[access] = next
		extra = `,"refresh_token":"` + next + `","refresh_token_expires_in":7776000`
	} else if form.Get("grant_type") != "client_credentials" {
		return tells(req, 400, `{"error":"unsupported_grant_type"}`)
	}
	d.valid[access] = true
	return tells(req, 200, fmt.Sprintf(`{"access_token":%q,"scope":"read_orders","expires_in":%d%s}`, access, d.life, extra))
}

// end lets all access tokens end at once.
func (d *desk) end() {
	d.mu.Lock()
	defer d.mu.Unlock()
	clear(d.valid)
}

// drawer is a keeper.
type drawer struct {
	mu    sync.Mutex
	holds map[string][]byte
	stuck bool
	kept  []string // what was kept, in order
}

func (d *drawer) Kept(_ context.Context, name string) ([]byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.holds[name], nil
}

func (d *drawer) Keep(_ context.Context, name string, value []byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.stuck {
		return errors.New("disk full")
	}
	if d.holds == nil {
		d.holds = map[string][]byte{}
	}
	d.holds[name] = slices.Clone(value)
	d.kept = append(d.kept, string(value))
	return nil
}

// asGuest opens a shop with the credentials of an app.
func asGuest(d *desk, refresh string, keeper connectors.Keeper) *client {
	return clientOf(d, func(cfg *Config, env *connectors.Env) {
		cfg.AccessToken, cfg.ClientID, cfg.ClientSecret, cfg.RefreshToken = "", "id", "s3cret", refresh
		cfg.RetryWait = time.Millisecond
		if keeper != nil {
			env.Keeper = keeper
		}
	})
}

func knock(t *testing.T, c *client) error {
	t.Helper()
	_, err := c.do(t.Context(), "list orders", asks("orders"), nil, new(struct{}))
	return err
}

func TestClientCredentials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(24 * 3600)
		c := asGuest(d, "", nil)
		for range 3 {
			if err := knock(t, c); err != nil {
				t.Fatal(err)
			}
		}
		if d.given != 1 {
			t.Errorf("%d tokens for three questions", d.given)
		}
		time.Sleep(24*time.Hour - renewAhead)
		if err := knock(t, c); err != nil || d.given != 2 || d.refused > 0 {
			t.Errorf("near the end: %d tokens, %d refusals, %v", d.given, d.refused, err)
		}
		d.end()
		if err := knock(t, c); err != nil || d.given != 3 || d.refused != 1 {
			t.Errorf("after a 401: %d tokens, %d refusals, %v", d.given, d.refused, err)
		}
	})
}

// However many find a token refused, it is renewed once.
func TestOneRenewalServesAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(24 * 3600)
		c := asGuest(d, "", nil)
		crew(t, c, 8, 1, asks("orders"))
		d.end()
		crew(t, c, 8, 2, asks("orders"))
		if d.given != 2 {
			t.Errorf("%d tokens", d.given)
		}
	})
}

func TestTokenThatStaysRefusedIsDenied(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(3600)
		shut := newTill(1, 1, 1)
		shut.says = func(_ int, req *http.Request) *http.Response {
			if strings.HasSuffix(req.URL.Path, "access_token") {
				res, _ := d.RoundTrip(req)
				return res
			}
			return tells(req, 401, `{"errors":"no: `+req.Header.Get("X-Shopify-Access-Token")+`"}`)
		}
		c := clientOf(shut, func(cfg *Config, _ *connectors.Env) {
			cfg.AccessToken, cfg.ClientID, cfg.ClientSecret = "", "id", "s3cret"
		})
		err := knock(t, c)
		if connectors.ClassOf(err) != connectors.Denied || d.given != 2 {
			t.Errorf("%d tokens: %v", d.given, err)
		}
		if strings.Contains(err.Error(), "access-2") || !strings.Contains(err.Error(), "organisation") {
			t.Errorf("%v", err)
		}
	})
}

func TestWrongCredentials(t *testing.T) {
	d := newDesk(3600)
	c := clientOf(d, func(cfg *Config, _ *connectors.Env) {
		cfg.AccessToken, cfg.ClientID, cfg.ClientSecret = "", "id", "wr0ng"
	})
	err := knock(t, c)
	var e *connectors.Error
	if !errors.As(err, &e) || e.Class != connectors.Denied || !strings.Contains(err.Error(), "application_cannot_be_found") || !strings.Contains(e.Fix, "client_secret") || strings.Contains(err.Error(), "wr0ng") {
		t.Errorf("%v", err)
	}
}

// Where nobody gives tokens the address is wrong, and not the secret.
func TestTokenAskedForAtTheWrongAddress(t *testing.T) {
	for status, header := range map[int][]string{404: nil, 302: {"Location", "https://www.example.com/"}} {
		c := clientOf(answering(status, "<html>", header...), func(cfg *Config, _ *connectors.Env) {
			cfg.AccessToken, cfg.ClientID, cfg.ClientSecret = "", "id", "s3cret"
		})
		var e *connectors.Error
		if err := knock(t, c); !errors.As(err, &e) || e.Class != connectors.Denied || !strings.Contains(e.Fix, ".myshopify.com") || strings.Contains(e.Fix, "client_secret") {
			t.Errorf("%d: %v", status, err)
		}
	}
}

// A renewed token is used only when it was kept, and each renewal uses the
// refresh token that was kept last.
func TestRefreshTokenRotates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, keeper := newDesk(3600, "configured"), &drawer{}
		c := asGuest(d, "configured", keeper)
		for range 5 {
			if err := knock(t, c); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Hour)
		}
		if d.given != 5 || len(keeper.kept) != 5 || d.refused > 0 {
			t.Errorf("%d tokens, %d kept, %d refusals", d.given, len(keeper.kept), d.refused)
		}
		if !strings.Contains(keeper.kept[4], "refresh-5") || strings.Contains(keeper.kept[4], "configured") {
			t.Errorf("kept %s", keeper.kept[4])
		}
		// Another process goes on with what was kept, and while its token is
		// good it renews nothing.
		if err := knock(t, asGuest(d, "configured", keeper)); err != nil || d.given != 6 {
			t.Errorf("after an hour: %d tokens, %v", d.given, err)
		}
		if err := knock(t, asGuest(d, "configured", keeper)); err != nil || d.given != 6 {
			t.Errorf("at once: %d tokens, %v", d.given, err)
		}
	})
}

func TestRenewedTokenIsNotUsedBeforeItIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, keeper := newDesk(3600, "configured"), &drawer{stuck: true}
		c := asGuest(d, "configured", keeper)
		for range 3 {
			if err := knock(t, c); connectors.ClassOf(err) != connectors.Transient || !strings.Contains(err.Error(), "disk full") {
				t.Errorf("%v", err)
			}
		}
		if d.given != 1 || d.refresh["refresh-1"] != "configured" {
			t.Errorf("%d tokens; the shop has %v", d.given, d.refresh)
		}
		keeper.stuck = false
		if err := knock(t, c); err != nil || d.given != 1 || !strings.Contains(keeper.kept[0], "refresh-1") {
			t.Errorf("%d tokens, kept %q, %v", d.given, keeper.kept, err)
		}
	})
}

// A process that dies between the shop's answer and the disk has lost nothing:
// the refresh token before still opens.
func TestRenewalThatWasLostIsMadeAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, keeper := newDesk(3600, "configured"), &drawer{}
		d.breaks = true
		if err := knock(t, asGuest(d, "configured", keeper)); err != nil || d.given != 2 {
			t.Errorf("%d tokens, %v", d.given, err)
		}
		keeper.stuck = true
		time.Sleep(time.Hour)
		_ = knock(t, asGuest(d, "configured", keeper))
		keeper.stuck = false
		if err := knock(t, asGuest(d, "configured", keeper)); err != nil || d.given != 4 {
			t.Errorf("after a crash: %d tokens, %v", d.given, err)
		}
	})
}

// Two processes share what is kept: the one that comes second takes over what
// the first has renewed.
func TestTwoProcessesShareTheTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, keeper := newDesk(3600, "configured"), &drawer{}
		one, two := asGuest(d, "configured", keeper), asGuest(d, "configured", keeper)
		for range 6 {
			for _, c := range []*client{one, two} {
				if err := knock(t, c); err != nil {
					t.Fatal(err)
				}
			}
			time.Sleep(time.Hour)
		}
		if d.given != 6 || d.refused > 0 {
			t.Errorf("%d tokens, %d refusals", d.given, d.refused)
		}
	})
}

func TestAnotherConfiguredRefreshTokenTakesThePlaceOfTheKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, keeper := newDesk(3600, "configured", "newer"), &drawer{}
		if err := knock(t, asGuest(d, "configured", keeper)); err != nil {
			t.Fatal(err)
		}
		if err := knock(t, asGuest(d, "newer", keeper)); err != nil || d.forms[len(d.forms)-1].Get("refresh_token") != "newer" {
			t.Errorf("asked with %v: %v", d.forms[len(d.forms)-1], err)
		}
		if err := knock(t, asGuest(d, "newer", keeper)); err != nil || d.given != 2 {
			t.Errorf("%d tokens: %v", d.given, err)
		}
	})
}

func TestRefreshTokenThatHasEnded(t *testing.T) {
	d := newDesk(3600, "another")
	err := knock(t, asGuest(d, "configured", &drawer{}))
	if connectors.ClassOf(err) != connectors.Denied || !strings.Contains(err.Error(), "invalid_grant") || !strings.Contains(err.Error(), "install the app again") || strings.Contains(err.Error(), "configured") {
		t.Errorf("%v", err)
	}
}

func TestRefreshTokenNeedsAPlaceToKeepTheNext(t *testing.T) {
	d := newDesk(3600, "configured")
	err := knock(t, asGuest(d, "configured", nil))
	if connectors.ClassOf(err) != connectors.Denied || !strings.Contains(err.Error(), "keep") || d.given > 0 {
		t.Errorf("%d tokens: %v", d.given, err)
	}
}

func TestSpoiltKeptTokenIsAsNone(t *testing.T) {
	for _, kept := range []string{"", "{", `{"of":"x"}`, `[]`, `{"of":1}`} {
		d := newDesk(3600, "configured")
		if err := knock(t, asGuest(d, "configured", &drawer{holds: map[string][]byte{keptToken: []byte(kept)}})); err != nil || d.given != 1 {
			t.Errorf("%q: %d tokens, %v", kept, d.given, err)
		}
	}
}

func TestAnswerThatIsNoToken(t *testing.T) {
	for _, body := range []string{"", "<html>", `{}`, `{"access_token":""}`, `{"access_token":"a"}`} {
		shop := answering(200, body)
		c := clientOf(shop, func(cfg *Config, env *connectors.Env) {
			cfg.AccessToken, cfg.ClientID, cfg.ClientSecret, cfg.RefreshToken = "", "id", "s3cret", "configured"
			env.Keeper = &drawer{}
		})
		if err := knock(t, c); connectors.ClassOf(err) != connectors.Transient || err == nil {
			t.Errorf("%q: %v", body, err)
		}
	}
}

// Tokens come up while the program runs; they are hidden all the same.
func TestTokensStayOutOfErrorsAndLogs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		d, keeper := newDesk(3600, "configured"), &drawer{}
		c := clientOf(d, func(cfg *Config, env *connectors.Env) {
			cfg.AccessToken, cfg.ClientID, cfg.ClientSecret, cfg.RefreshToken = "", "id", "s3cret", "configured"
			env.Keeper, env.Log = keeper, zerolog.New(&log)
		})
		if err := knock(t, c); err != nil {
			t.Fatal(err)
		}
		err := c.rest.Fail(connectors.Transient, "ask", errors.New("dial with access-1, refresh-1, configured and s3cret"), "")
		for _, secret := range []string{"access-1", "refresh-1", "configured", "s3cret"} {
			if strings.Contains(err.Error(), secret) || strings.Contains(log.String(), secret) {
				t.Errorf("%s is in %q or in the log", secret, err)
			}
		}
	})
}

func TestWaitForTheTokenEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := newTill(1, 1, 1)
		slow.says = func(_ int, req *http.Request) *http.Response {
			<-req.Context().Done()
			return tells(req, 500, "")
		}
		c := clientOf(slow, func(cfg *Config, _ *connectors.Env) {
			cfg.AccessToken, cfg.ClientID, cfg.ClientSecret = "", "id", "s3cret"
		})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		done := make(chan error)
		for range 3 {
			go func() {
				_, err := c.do(ctx, "ask", asks("orders"), nil, new(struct{}))
				done <- err
			}()
		}
		for range 3 {
			if err := <-done; !connectors.Ended(err) {
				t.Error(err)
			}
		}
	})
}
