package main

import (
	"bytes"
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/template"

	"comptoir/erp/fault"

	"github.com/spf13/cobra"
)

//go:embed comptoir.service.tmpl
var unitTemplate string

const (
	unitName    = "comptoir.service"
	serviceUser = "comptoir" // who owns a data directory of one's own choice
)

func (a *app) service() *cobra.Command {
	return group("service", "Install Comptoir as a service", a.serviceInstall())
}

// unit is what the unit file depends on.
type unit struct {
	Exec    string // the binary
	Config  string // the configuration file
	Data    string // of --data; "" where systemd keeps the data
	Secrets string // directory that a credential may come from
	User    bool   // a service of the user, not of the system
	AtHome  bool   // a file that it needs lies where people live
}

func (a *app) serviceInstall() *cobra.Command {
	var user, dry bool
	var dir string
	cmd := &cobra.Command{
		Use:   "install",
		Short: "Write the systemd unit",
		Long: "Install writes the systemd unit that runs this binary with the configuration of --config, with few rights.\n" +
			"It starts nothing: it prints the commands that do. A system service keeps its data in /var/lib/comptoir and runs as\n" +
			"a user that systemd makes up; with --data DIR it keeps them there and runs as the user comptoir, who must own DIR.",
		Args: count(0, 0),
		RunE: func(cmd *cobra.Command, args []string) error {
			u, err := a.newUnit(user)
			if err != nil {
				return err
			}
			if dir == "" {
				if dir, err = unitDir(user); err != nil {
					return err
				}
			}
			return a.installUnit(u, filepath.Join(dir, unitName), dry)
		},
	}
	cmd.Flags().BoolVar(&user, "user", false, "a service of yours, not of the system")
	cmd.Flags().StringVar(&dir, "unit-dir", "", "`DIR` to write the unit to (default: where systemd looks)")
	cmd.Flags().BoolVar(&dry, "dry-run", false, "only print the unit")
	return cmd
}

// newUnit finds the binary and the configuration.
func (a *app) newUnit(user bool) (unit, error) {
	binary, err := os.Executable()
	if err != nil {
		return unit{}, fmt.Errorf("find this binary: %w", err)
	}
	u := unit{Exec: binary, Config: "/etc/comptoir/comptoir.yaml", Secrets: "/etc/comptoir", User: user}
	if user {
		dir, err := os.UserConfigDir()
		if err != nil {
			return unit{}, fault.New(fault.Invalid, "name the configuration with --config", "there is no configuration directory: %w", err)
		}
		u.Secrets = filepath.Join(dir, "comptoir")
		u.Config = filepath.Join(u.Secrets, "comptoir.yaml")
	}
	if a.file != "" {
		if u.Config, err = filepath.Abs(a.file); err != nil {
			return unit{}, fmt.Errorf("find the configuration: %w", err)
		}
		if _, err := os.Stat(u.Config); err != nil {
			return unit{}, fault.New(fault.NotFound, "write one with: comptoir config example > "+a.file, "the service would have no configuration: %w", err)
		}
	}
	if data := a.flags.Lookup("data").Value.String(); data != "" {
		if u.Data, err = filepath.Abs(data); err != nil {
			return unit{}, fmt.Errorf("find the data directory: %w", err)
		}
	}
	for _, home := range []string{"/home/", "/root/", "/run/user/"} {
		for _, path := range []string{u.Config, u.Exec, u.Data} {
			u.AtHome = u.AtHome || strings.HasPrefix(path, home)
		}
	}
	return u, nil
}

func unitDir(user bool) (string, error) {
	if !user {
		return "/etc/systemd/system", nil
	}
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", fault.New(fault.Invalid, "name one with --unit-dir", "there is no configuration directory: %w", err)
	}
	return filepath.Join(dir, "systemd", "user"), nil
}

// render fills the unit in. Paths are quoted as systemd reads them.
func (u unit) render() ([]byte, error) {
	u.Exec, u.Config, u.Data = quoteUnit(u.Exec), quoteUnit(u.Config), quoteUnit(u.Data)
	t, err := template.New(unitName).Parse(unitTemplate)
	if err != nil {
		return nil, fmt.Errorf("read the unit's template: %w", err)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, u); err != nil {
		return nil, fmt.Errorf("fill in the unit: %w", err)
	}
	return b.Bytes(), nil
}

// quoteUnit writes a path as one argument of ExecStart, see systemd.service(5).
func quoteUnit(path string) string {
	path = strings.NewReplacer("%", "%%", "$", "$$").Replace(path)
	if strings.ContainsAny(path, " \t\"'\\;") {
		path = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(path) + `"`
	}
	return path
}

func (a *app) installUnit(u unit, path string, dry bool) error {
	text, err := u.render()
	if err != nil {
		return err
	}
	if dry {
		if a.json {
			return a.printJSON(map[string]string{"path": path, "unit": string(text)})
		}
		a.printf("%s", text)
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fault.New(fault.Invalid, "run it as root, or use --user or --unit-dir", "write the unit: %w", err)
	}
	if err := os.WriteFile(path, text, 0o644); err != nil {
		return fault.New(fault.Invalid, "run it as root, or use --user or --unit-dir", "write the unit: %w", err)
	}
	if a.json {
		return a.printJSON(map[string]string{"path": path})
	}
	systemctl := "systemctl"
	if u.User {
		systemctl += " --user"
	}
	a.printf("%s is written. It runs %s with %s. Next:\n\n", path, u.Exec, u.Config)
	if _, err := os.Stat(u.Config); err != nil {
		a.printf("    comptoir config example > %s    # there is none yet; then fill it in\n", u.Config)
	}
	if u.Data != "" && !u.User {
		a.printf("    useradd --system %s    # where there is none yet\n    install -d -m 700 -o %s -g %s %s\n", serviceUser, serviceUser, serviceUser, u.Data)
	}
	a.printf("    %s daemon-reload\n    %s enable --now comptoir\n    %s status comptoir\n", systemctl, systemctl, systemctl)
	if strings.HasPrefix(u.Exec, os.TempDir()) {
		a.printf("\nThis binary stands in a temporary directory and will be gone. Build one to stay first:\n\n    go build -o /usr/local/bin/comptoir ./cmd/comptoir\n")
	}
	return nil
}
