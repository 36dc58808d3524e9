package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"comptoir/cmd/internal/config"
	"comptoir/connectors/sandbox"
	"comptoir/erp/money"
	"comptoir/erp/store/storetest"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/shopspring/decimal"
	"github.com/spf13/pflag"
	_ "modernc.org/sqlite" // tampers with the books
)

// TestMain makes this test binary answer as comptoir where it is called so.
func TestMain(m *testing.M) {
	testscript.Main(withDatabase{m}, map[string]func(){"comptoir": main})
}

// withDatabase runs tests that may want a PostgreSQL server.
type withDatabase struct{ m *testing.M }

// Run runs the tests and returns the exit code.
func (w withDatabase) Run() int { return storetest.Run(w.m) }

// TestScripts runs the command line as a person does; each file in
// testdata/script is one story.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "script"),
		Setup: func(env *testscript.Env) error {
			for _, name := range []string{"HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"} {
				env.Setenv(name, filepath.Join(env.WorkDir, "home"))
			}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"shop":   scriptShop,
			"exits":  scriptExits,
			"await":  scriptAwait,
			"keep":   scriptKeep,
			"tamper": scriptTamper,
		},
	})
}

// scriptShop serves sandboxes until the script ends, and writes the
// configuration that reaches them: shop FILE [--platform NAME]... [--orders N]
// [--misbehave FAULT]. Where there are several they have the names of their
// platforms, and sell the same goods.
func scriptShop(ts *testscript.TestScript, neg bool, args []string) {
	b := box{name: "sandbox", seed: 1}
	flags := pflag.NewFlagSet("shop", pflag.ContinueOnError)
	all := flags.StringArray("platform", platforms[:1], "")
	flags.IntVar(&b.orders, "orders", 40, "")
	flags.StringArrayVar(&b.misbehave, "misbehave", nil, "")
	ts.Check(flags.Parse(args))
	rates := map[money.Currency]decimal.Decimal{}
	var made []config.Made
	for _, b.platform = range *all {
		if len(*all) > 1 {
			b.name = b.platform
		}
		shop, err := b.open()
		ts.Check(err)
		server := httptest.NewServer(shop.Handler())
		ts.Defer(server.Close)
		m, err := b.made(shop, strings.TrimPrefix(server.URL, "http://"))
		ts.Check(err)
		made = append(made, m)
		maps.Copy(rates, shop.Rates())
	}
	c, err := config.Make(rates, made...)
	ts.Check(err)
	c.Data = ts.MkAbs("data")
	ts.Check(writeSource(c, ts.MkAbs(flags.Arg(0))))
}

// writeBoxConfig writes the configuration that reaches a served sandbox.
func writeBoxConfig(b box, shop *sandbox.Shop, server *httptest.Server, file, data string) error {
	c, err := b.config(shop, strings.TrimPrefix(server.URL, "http://"))
	if err != nil {
		return err
	}
	c.Data = data
	return writeSource(c, file)
}

// scriptExits runs a command and checks its exit code: exits 2 comptoir sync.
func scriptExits(ts *testscript.TestScript, neg bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	var exit *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("%s ended with code %d, want %d", strings.Join(args[1:], " "), got, want)
	}
}

// scriptKeep keeps a part of what was printed last in a variable: keep NAME
// PATTERN, with the part in brackets.
func scriptKeep(ts *testscript.TestScript, neg bool, args []string) {
	found := regexp.MustCompile(args[1]).FindStringSubmatch(ts.ReadFile("stdout"))
	if found == nil {
		ts.Fatalf("%s was not printed", args[1])
	}
	ts.Setenv(args[0], found[1])
}

// scriptTamper changes the books as a tampering hand would, without the locks
// that keep entries as they are: tamper FILE TRIGGER QUERY.
func scriptTamper(ts *testscript.TestScript, neg bool, args []string) {
	db, err := sql.Open("sqlite", ts.MkAbs(args[0]))
	ts.Check(err)
	defer db.Close()
	for _, q := range []string{"DROP TRIGGER " + args[1], args[2]} {
		_, err := db.Exec(q)
		ts.Check(err)
	}
}

// scriptAwait waits until a file is there, with a text in it where one is
// given: await FILE [TEXT].
func scriptAwait(ts *testscript.TestScript, neg bool, args []string) {
	ts.Check(await(ts.MkAbs(args[0]), args[1:]...))
}

// patience bounds how long a test waits for another process.
const patience = 30 * time.Second

func await(path string, texts ...string) error {
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		b, err := os.ReadFile(path)
		if err == nil && strings.Contains(string(b), strings.Join(texts, " ")) {
			return nil
		}
	}
	return fmt.Errorf("%s did not come with %q", path, texts)
}

func TestExampleFileIsUpToDate(t *testing.T) {
	path := filepath.Join("..", "..", "config.example.yaml")
	committed, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var out, errs strings.Builder
	root := newApp(&out, &errs).root()
	root.SetArgs([]string{"config", "example"})
	if err := root.Execute(); err != nil {
		t.Fatal(err)
	}
	if out.String() != string(committed) {
		t.Error("config.example.yaml is not what the description of the keys renders; write it anew:\n" +
			"    go run ./cmd/comptoir config example > config.example.yaml")
	}
}

// TestExpiredCertificateIsExplained asks a server whose certificate has
// expired.
func TestExpiredCertificateIsExplained(t *testing.T) {
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.TLS = &tls.Config{Certificates: []tls.Certificate{expiredCertificate(t)}}
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // the handshake fails, as it should
	server.StartTLS()
	defer server.Close()
	file := filepath.Join(t.TempDir(), "comptoir.yaml")
	text := "data: " + filepath.Join(t.TempDir(), "data") + "\nshops:\n  atelier: {connector: woocommerce, url: \"" + server.URL +
		"\", consumer_key: ck_1, consumer_secret: cs_1, retry_wait: 1ms}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("comptoir", "--config", file, "check")
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState.ExitCode() != exitRefused || !strings.Contains(string(out), "certificate has expired") {
		t.Errorf("%v\n%s", err, out)
	}
}

// expiredCertificate is one for 127.0.0.1 that was good until yesterday.
func expiredCertificate(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: time.Now().Add(-24 * time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}
