package shopify

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"hash/maphash"
	"io"
	"math"
	"slices"
)

// longestLine is how long one line of a result may be: an object with all its
// lists, but without its connections.
const longestLine = 16 << 20

// index says where the objects of a result are. The result has one object in a
// line; those of a nested connection name their parent, and stand anywhere in
// the file, before or after it. The index holds places only, about 16 bytes a
// line, so that a result of millions of lines can be read in parts.
type index struct {
	// first is where in at and size the lines of each root begin: those of
	// root n are first[n] up to first[n+1]. Roots are in the order of the file.
	first []uint32
	at    []int64  // where each line begins, a root's own line before the others
	size  []uint32 // how long it is, without its end
}

// roots returns how many objects of the top-level connection there are.
func (x *index) roots() int { return len(x.first) - 1 }

// head is what places a line.
type head struct {
	ID     string `json:"id"`
	Parent string `json:"__parentId"`
}

// readIndex reads a result of so many bytes and objects. The error is spoilt
// where the result is not whole: an object is missing, stands twice, cannot be
// read, or belongs to one that is not there.
func readIndex(r io.ReaderAt, size, objects int64) (*index, error) {
	if objects > math.MaxUint32 {
		return nil, spoilt{fmt.Errorf("%d objects are more than can be counted", objects)}
	}
	b := indexer{seed: maphash.MakeSeed(), roots: map[uint64]uint32{}}
	if err := eachLine(io.NewSectionReader(r, 0, size), b.add); err != nil {
		return nil, err
	}
	if int64(len(b.at)) != objects {
		return nil, spoilt{fmt.Errorf("the result has %d objects, and should have %d", len(b.at), objects)}
	}
	if err := b.settle(r, size); err != nil {
		return nil, err
	}
	return b.index(), nil
}

// eachLine calls use for each line, with where it begins.
func eachLine(r io.Reader, use func(at int64, line []byte) error) error {
	var next, at int64
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, longestLine)
	lines.Split(func(data []byte, end bool) (int, []byte, error) {
		n, line, err := bufio.ScanLines(data, end)
		if line != nil {
			at = next
		}
		next += int64(n)
		return n, line, err
	})
	for lines.Scan() {
		if len(lines.Bytes()) == 0 {
			continue
		}
		if err := use(at, lines.Bytes()); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return spoilt{fmt.Errorf("read the result after byte %d: %w", next, err)}
	}
	return nil
}

// indexer builds an index. Ids are kept as hashes; a line says whose it is once
// more when it is read to be joined.
type indexer struct {
	seed  maphash.Seed
	roots map[uint64]uint32 // number of a root by its id
	own   []uint32          // own line of each root

	// Of each line, in the order of the file.
	at    []int64
	size  []uint32
	owner []uint32 // number of its root

	late []orphan
}

// orphan is a line whose parent was not a known root when it was read.
type orphan struct {
	line   uint32
	parent uint64
}

func (b *indexer) hash(id string) uint64 { return maphash.String(b.seed, id) }

// add places one line.
func (b *indexer) add(at int64, line []byte) error {
	h, err := placeOf(line)
	if err != nil {
		return err
	}
	n := uint32(len(b.at))
	b.at, b.size = append(b.at, at), append(b.size, uint32(len(line)))
	if h.Parent == "" {
		key, number := b.hash(h.ID), uint32(len(b.own))
		if _, twice := b.roots[key]; twice || h.ID == "" {
			return spoilt{fmt.Errorf("the object at byte %d has no id, or one that stands before it: %q", at, h.ID)}
		}
		b.roots[key] = number
		b.own = append(b.own, n)
		b.owner = append(b.owner, number)
		return nil
	}
	parent := b.hash(h.Parent)
	root, known := b.roots[parent]
	if !known {
		b.late = append(b.late, orphan{n, parent})
	}
	b.owner = append(b.owner, root)
	return nil
}

// placeOf reads the id of an object and that of its parent.
func placeOf(line []byte) (head, error) {
	if h, plain := plainPlace(line); plain {
		return h, nil
	}
	var h head
	if err := json.Unmarshal(line, &h); err != nil {
		return h, spoilt{fmt.Errorf("read an object of the result: %w", err)}
	}
	return h, nil
}

// The ends of a line as shops write it.
var (
	idBegins     = []byte(`{"id":"`)
	parentBegins = []byte(`,"__parentId":"`)
	parentKey    = []byte(`__parentId`)
	lineEnds     = []byte(`"}`)
)

// plainPlace reads the place of a line that begins with its id and ends with
// that of its parent, or has none, without reading what is between. Inside of a
// text the quotes of such a key would be escaped, so nothing else looks like
// it.
func plainPlace(line []byte) (h head, plain bool) {
	id, ok := bytes.CutPrefix(line, idBegins)
	if !ok {
		return h, false
	}
	if h.ID, ok = plainText(id); !ok {
		return h, false
	}
	at := bytes.LastIndex(line, parentBegins)
	if at < 0 {
		return h, line[len(line)-1] == '}' && !bytes.Contains(line, parentKey)
	}
	parent, ok := bytes.CutSuffix(line[at+len(parentBegins):], lineEnds)
	if !ok || bytes.IndexByte(parent, '"') >= 0 || bytes.IndexByte(parent, '\\') >= 0 {
		return h, false
	}
	h.Parent = string(parent)
	return h, true
}

// plainText reads a text up to its closing quote, where nothing in it is
// escaped.
func plainText(b []byte) (string, bool) {
	end := bytes.IndexByte(b, '"')
	if end < 0 || bytes.IndexByte(b[:end], '\\') >= 0 {
		return "", false
	}
	return string(b[:end]), true
}

// settle finds the roots of the lines that came before their parents, and of
// those that are two levels down.
func (b *indexer) settle(r io.ReaderAt, size int64) error {
	deep, middle := b.late[:0], map[uint64]uint32{}
	for _, o := range b.late {
		if root, known := b.roots[o.parent]; known {
			b.owner[o.line] = root
			continue
		}
		deep = append(deep, o)
		middle[o.parent] = nowhere
	}
	if len(deep) == 0 {
		return nil
	}
	if err := b.between(r, size, deep, middle); err != nil {
		return err
	}
	for _, o := range deep {
		if b.owner[o.line] = middle[o.parent]; b.owner[o.line] == nowhere {
			return spoilt{fmt.Errorf("the object at byte %d belongs to one that is not in the result", b.at[o.line])}
		}
	}
	return nil
}

// nowhere is the number of a root that is not known.
const nowhere = math.MaxUint32

// between finds the roots of the objects in middle, which are the parents of
// the lines in deep, by reading the result once more.
func (b *indexer) between(r io.ReaderAt, size int64, deep []orphan, middle map[uint64]uint32) error {
	for _, o := range deep {
		b.owner[o.line] = nowhere
	}
	n := 0
	return eachLine(io.NewSectionReader(r, 0, size), func(_ int64, line []byte) error {
		h, err := placeOf(line)
		if err != nil {
			return err
		}
		if key := b.hash(h.ID); h.ID != "" {
			if _, wanted := middle[key]; wanted {
				middle[key] = b.owner[n]
			}
		}
		n++
		return nil
	})
}

// index sorts the lines by their roots.
func (b *indexer) index() *index {
	x := &index{first: make([]uint32, len(b.own)+1), at: make([]int64, len(b.at)), size: make([]uint32, len(b.at))}
	for _, root := range b.owner {
		x.first[root+1]++
	}
	for n := range b.own {
		x.first[n+1] += x.first[n]
	}
	free := slices.Clone(x.first)
	put := func(line int) {
		to := free[b.owner[line]]
		x.at[to], x.size[to] = b.at[line], b.size[line]
		free[b.owner[line]]++
	}
	for _, line := range b.own {
		put(int(line))
	}
	for line, root := range b.owner {
		if b.own[root] != uint32(line) {
			put(line)
		}
	}
	return x
}

// lines reads the lines of root n, its own first.
func (x *index) lines(r io.ReaderAt, n int) ([][]byte, error) {
	from, to := x.first[n], x.first[n+1]
	lines := make([][]byte, 0, to-from)
	for i := from; i < to; i++ {
		line := make([]byte, x.size[i])
		if _, err := r.ReadAt(line, x.at[i]); err != nil {
			return nil, spoilt{fmt.Errorf("read the result at byte %d: %w", x.at[i], err)}
		}
		lines = append(lines, line)
	}
	return lines, nil
}
