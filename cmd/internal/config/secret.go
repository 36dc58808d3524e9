package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"comptoir/erp/fault"

	"gopkg.in/yaml.v3"
)

// A secret is given inline, or as a reference to where it is kept.
const (
	fromEnv        = "env:"        // env:NAME, an environment variable
	fromFile       = "file:"       // file:PATH, relative to the configuration file
	fromCredential = "credential:" // credential:NAME, a systemd credential
)

// maxSecret bounds the size of a file that is read as a secret, in bytes.
const maxSecret = 64 << 10

// isReference reports whether the text only says where the secret is.
func isReference(text string) bool {
	return strings.HasPrefix(text, fromEnv) || strings.HasPrefix(text, fromFile) || strings.HasPrefix(text, fromCredential)
}

// readSecret returns the secret that text holds or refers to. A reference to a
// file is relative to the configuration file.
func readSecret(text, configFile string) (string, error) {
	for _, kind := range []string{fromEnv, fromFile, fromCredential} {
		if text == kind {
			return "", fmt.Errorf("nothing stands after %q: write env:NAME, file:PATH or credential:NAME", kind)
		}
	}
	switch {
	case strings.HasPrefix(text, fromEnv):
		name := strings.TrimPrefix(text, fromEnv)
		value := os.Getenv(name)
		if value == "" {
			return "", fmt.Errorf("the environment variable %s is not set", name)
		}
		return value, nil
	case strings.HasPrefix(text, fromFile):
		path := strings.TrimPrefix(text, fromFile)
		if !filepath.IsAbs(path) {
			dir, err := filepath.Abs(filepath.Dir(configFile))
			if err != nil {
				return "", fmt.Errorf("find the directory of the configuration: %w", err)
			}
			path = filepath.Join(dir, path)
		}
		return readSecretFile(path)
	case strings.HasPrefix(text, fromCredential):
		name := strings.TrimPrefix(text, fromCredential)
		dir := os.Getenv("CREDENTIALS_DIRECTORY")
		if dir == "" {
			return "", fmt.Errorf("there are no systemd credentials here: run it as the service, with LoadCredential=%s:… in the unit", name)
		}
		if name != filepath.Base(name) {
			return "", fmt.Errorf("%q is no name of a credential", name)
		}
		return readSecretFile(filepath.Join(dir, name))
	default:
		return text, nil
	}
}

func readSecretFile(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", unreadable(path, err)
	}
	if info.IsDir() {
		return "", fmt.Errorf("%s is a directory: name the file in it that holds the secret", path)
	}
	if info.Size() > maxSecret {
		return "", fmt.Errorf("%s is too large to be a secret", path)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return "", unreadable(path, err)
	}
	value := strings.TrimSpace(string(b))
	if value == "" {
		return "", fmt.Errorf("%s is empty", path)
	}
	return value, nil
}

// unreadable is the error for a secret that is not there for us.
func unreadable(path string, err error) error {
	fix := "write it there, or name another file; a path that does not begin with / is taken from the directory of the configuration file, " + filepath.Dir(path)
	if errors.Is(err, os.ErrPermission) {
		fix = "let the user that runs comptoir read it, or hand it to the service as a systemd credential"
	}
	return fmt.Errorf("the secret cannot be read: %w: %s", err, fix)
}

// lateError is the error of a secret that cannot be read. It is reported when
// the secret is needed, so that a report can be printed without it.
func (r *reader) lateError(path string, at *yaml.Node, line int, err error) error {
	was := r.problems
	r.problems = nil
	r.problemAt(path, at, line, err.Error())
	msg := r.problems[0].text
	r.problems = was
	return fault.New(fault.Invalid, "", "%s", msg)
}
