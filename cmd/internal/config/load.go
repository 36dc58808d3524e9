package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"comptoir/connectors"
	"comptoir/erp/fault"

	"github.com/spf13/pflag"
	"github.com/spf13/viper"
	"gopkg.in/yaml.v3"
)

// Options say where a configuration comes from.
type Options struct {
	// File is the configuration file. "" looks for comptoir.yaml in the
	// working directory, in the user's and in the system's configuration
	// directory; none there is no error.
	File string
	// Flags may hold the flag "data", which wins over everything else.
	Flags *pflag.FlagSet
	// Registry lists the connectors that a shop can name.
	Registry []connectors.Driver
}

// Load reads and checks a configuration. What is wrong in it is reported all
// at once, as an Invalid fault whose message has a line for each problem.
//
// A flag wins over the environment, the environment over the file, the file
// over the default. The environment variable of a key is its path in capitals
// after COMPTOIR_, with _ between the parts: COMPTOIR_BOOKS_CURRENCY.
func Load(o Options) (*Config, error) {
	r := &reader{options: o, config: defaults()}
	if err := r.open(); err != nil {
		return nil, err
	}
	r.read()
	if len(r.problems) > 0 {
		return nil, &fault.Error{Kind: fault.Invalid, Msg: joined(r.problems)}
	}
	r.config.Warnings = r.strayVariables()
	if r.config.Data == "" {
		dir, err := defaultData()
		if err != nil {
			return nil, err
		}
		r.config.Data = dir
	}
	return r.config, nil
}

// reader goes through a configuration once.
type reader struct {
	options  Options
	config   *Config
	viper    *viper.Viper
	root     *yaml.Node // the mapping of the whole file; nil where there is none
	problems []problem
	known    []string // the environment variables of all keys that were read
}

// problem is what is wrong at a line of the file; 0 where it is not in there.
type problem struct {
	line int
	text string
}

// joined lists problems in the order of the file, those outside of it first.
func joined(problems []problem) string {
	slices.SortStableFunc(problems, func(a, b problem) int { return a.line - b.line })
	lines := make([]string, len(problems))
	for i, p := range problems {
		lines[i] = p.text
	}
	return strings.Join(lines, "\n")
}

// open finds and reads the file.
func (r *reader) open() error {
	registry := viper.NewCodecRegistry()
	if err := registry.RegisterCodec("yaml", codec{r}); err != nil {
		return fmt.Errorf("prepare to read the configuration: %w", err)
	}
	v := viper.NewWithOptions(viper.WithCodecRegistry(registry))
	v.SetConfigType("yaml")
	r.viper = v
	if r.options.File != "" {
		v.SetConfigFile(r.options.File)
	} else {
		v.SetConfigName("comptoir.yaml")
		v.AddConfigPath(".")
		if dir, err := os.UserConfigDir(); err == nil {
			v.AddConfigPath(filepath.Join(dir, "comptoir"))
		}
		v.AddConfigPath("/etc/comptoir")
	}
	err := v.ReadInConfig()
	var missing viper.ConfigFileNotFoundError
	if errors.As(err, &missing) {
		return nil
	}
	r.config.File = v.ConfigFileUsed()
	var syntax *syntaxError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &syntax):
		return fault.New(fault.Invalid, "", "%s:%d: %s", r.config.File, syntax.line, syntax.msg)
	case errors.Is(err, os.ErrNotExist):
		return fault.New(fault.Invalid, "write one with: comptoir config example > comptoir.yaml",
			"there is no configuration file %s", r.config.File)
	default:
		fix := ""
		if errors.Is(err, os.ErrPermission) {
			fix = "let the user that runs comptoir read it, and the directory it is in"
		}
		return fault.New(fault.Invalid, fix, "read the configuration: %w", err)
	}
}

// read fills the configuration from what was opened.
func (r *reader) read() {
	top := r.config.describe()
	top.sections = append(top.sections, section{name: "shops"})
	r.names(top, "", r.root)
	r.fill(top, "", r.root)
	shops := child(r.root, "shops")
	if !r.isMapping(shops, "shops") || r.twice(shops) {
		return
	}
	for i := 0; i+1 < len(shops.Content); i += 2 {
		r.shop(shops.Content[i], resolve(shops.Content[i+1]))
	}
}

// twice reports whether shops have the same name. Of them nothing else can be
// said, since one hides the other.
func (r *reader) twice(shops *yaml.Node) bool {
	seen, found := map[string]int{}, false
	for i := 0; i+1 < len(shops.Content); i += 2 {
		key := shops.Content[i]
		if line, twice := seen[key.Value]; twice {
			r.problem(key.Line, "shops."+key.Value, fmt.Sprintf("a shop of this name stands at line %d already: give the second one another name", line))
			found = true
		}
		seen[key.Value] = key.Line
	}
	return found
}

var shopName = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,39}$`)

// shop reads one shop.
func (r *reader) shop(key, node *yaml.Node) {
	path := "shops." + key.Value
	if !shopName.MatchString(key.Value) {
		r.problem(key.Line, path, "a shop's name is made of a to z, 0 to 9, - and _, begins with a letter, and has at most 40 of them")
		return
	}
	if !r.isMapping(node, path) && !isNull(node) {
		return
	}
	driver, ok := r.driver(key, node, path)
	if !ok {
		return
	}
	s := newShop(key.Value, driver)
	before := len(r.problems)
	sec := s.describe()
	r.names(sec, path, node)
	r.fill(sec, path, node)
	for _, f := range s.fields {
		if err := r.config.late[path+"."+f.Key]; err != nil {
			s.late = err
		}
	}
	if len(r.problems) == before {
		r.validate(s, key, node, path)
	}
	r.config.Shops = append(r.config.Shops, s)
}

// driver finds the connector that a shop names.
func (r *reader) driver(key, node *yaml.Node, path string) (connectors.Driver, bool) {
	var names []string
	for _, d := range r.options.Registry {
		names = append(names, d.Name)
	}
	name := r.text(setting{key: "connector", value: new(string)}, path)
	for _, d := range r.options.Registry {
		if d.Name == name {
			return d, true
		}
	}
	line := key.Line
	if n := child(node, "connector"); n != nil {
		line = n.Line
	}
	msg := fmt.Sprintf("name the kind of storefront, one of: %s", strings.Join(names, ", "))
	if name != "" {
		msg = fmt.Sprintf("there is no connector %q: use one of %s", name, strings.Join(names, ", "))
	}
	r.problem(line, path+".connector", msg)
	return connectors.Driver{}, false
}

// validate lets the connector and the rules look at the whole of a shop.
func (r *reader) validate(s *Shop, key, node *yaml.Node, path string) {
	if s.late != nil {
		return // what could not be read cannot be judged either
	}
	err := s.settings.Validate()
	if err == nil {
		return
	}
	var fe *connectors.FieldError
	if !errors.As(err, &fe) {
		r.problem(key.Line, path, err.Error())
		return
	}
	r.problemAt(path+"."+fe.Key, child(node, fe.Key), key.Line, fe.Msg)
}

// problem notes what is wrong at a line of the file.
func (r *reader) problem(line int, path, msg string) {
	if path != "" {
		path += ": "
	}
	r.problems = append(r.problems, problem{line, fmt.Sprintf("%s:%d: %s%s", r.config.File, line, path, msg)})
}

// problemAt notes what is wrong with the value of a key, wherever it came
// from: the flag, the environment, or the node of the file.
func (r *reader) problemAt(path string, node *yaml.Node, line int, msg string) {
	if source := r.outside(path); source != "" {
		r.problems = append(r.problems, problem{0, fmt.Sprintf("%s: %s: %s", source, path, msg)})
		return
	}
	if node != nil {
		line = node.Line
	}
	r.problem(line, path, msg)
}

// outside names the flag or environment variable that sets path, "" where
// neither does.
func (r *reader) outside(path string) string {
	if r.options.Flags != nil {
		if f := r.options.Flags.Lookup(path); f != nil && f.Changed {
			return "--" + path
		}
	}
	if os.Getenv(variable(path)) != "" {
		return variable(path)
	}
	return ""
}

// variable is the environment variable of a key.
func variable(path string) string {
	return variables + strings.ToUpper(strings.NewReplacer(".", "_", "-", "_").Replace(path))
}

// defaultData is the data directory where none is configured.
func defaultData() (string, error) {
	if dir := os.Getenv("STATE_DIRECTORY"); dir != "" {
		first, _, _ := strings.Cut(dir, ":")
		return first, nil
	}
	if dir := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "comptoir"), nil
	}
	if os.Geteuid() == 0 {
		return "/var/lib/comptoir", nil // that of the service, see its StateDirectory
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fault.New(fault.Invalid, "set data in the configuration, or the flag --data", "there is no directory for the data: %w", err)
	}
	return filepath.Join(home, ".local", "share", "comptoir"), nil
}

// codec reads YAML for viper. It keeps the nodes, which know their lines, and
// leaves each scalar as it is written: a key made of digits is no number, and
// a date is no instant.
type codec struct{ reader *reader }

// syntaxError is a file that is not YAML.
type syntaxError struct {
	line int
	msg  string
}

func (e *syntaxError) Error() string { return e.msg }

var yamlLine = regexp.MustCompile(`line (\d+): `)

// Decode reads b into v.
func (c codec) Decode(b []byte, v map[string]any) error {
	var doc yaml.Node
	if err := yaml.Unmarshal(b, &doc); err != nil {
		msg, line := strings.TrimPrefix(err.Error(), "yaml: "), 1
		if m := yamlLine.FindStringSubmatch(msg); m != nil {
			line, _ = strconv.Atoi(m[1])
			msg = strings.Replace(msg, m[0], "", 1)
		}
		return &syntaxError{line, "this is not YAML: " + msg}
	}
	if len(doc.Content) == 0 {
		return nil // an empty file
	}
	root := resolve(doc.Content[0])
	if isNull(root) {
		return nil
	}
	if root.Kind != yaml.MappingNode {
		return &syntaxError{root.Line, "the file must hold keys and values, such as \"data: /var/lib/comptoir\""}
	}
	c.reader.root = root
	for key, value := range plain(root, 0).(map[string]any) {
		v[key] = value
	}
	return nil
}

// Encode writes v; viper asks for it to write a configuration.
func (c codec) Encode(v map[string]any) ([]byte, error) { return yaml.Marshal(v) }

// maxDepth bounds aliases that lead in circles.
const maxDepth = 20

// plain is node as maps, lists and strings.
func plain(node *yaml.Node, depth int) any {
	node = resolve(node)
	switch {
	case depth > maxDepth || isNull(node):
		return nil
	case node.Kind == yaml.MappingNode:
		m := map[string]any{}
		for i := 0; i+1 < len(node.Content); i += 2 {
			m[node.Content[i].Value] = plain(node.Content[i+1], depth+1)
		}
		return m
	case node.Kind == yaml.SequenceNode:
		list := make([]any, len(node.Content))
		for i, n := range node.Content {
			list[i] = plain(n, depth+1)
		}
		return list
	default:
		return node.Value
	}
}

// resolve follows an alias.
func resolve(node *yaml.Node) *yaml.Node {
	if node != nil && node.Kind == yaml.AliasNode {
		return node.Alias
	}
	return node
}

func isNull(node *yaml.Node) bool {
	return node == nil || node.Kind == yaml.ScalarNode && node.Tag == "!!null"
}

// child is the value of a key of a mapping, nil where there is none.
func child(node *yaml.Node, key string) *yaml.Node {
	if node == nil || node.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == key {
			return resolve(node.Content[i+1])
		}
	}
	return nil
}
