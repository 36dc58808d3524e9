package sandbox

import "bytes"

// cacheLimit bounds the memory of orders kept as JSON, in bytes.
const cacheLimit = 32 << 20

// written keeps orders as they were last written, while nothing in the shop
// changes: what an order says depends on its products, too.
type written struct {
	changes uint64
	base    string
	bytes   int
	orders  map[writtenKey][]byte
}

type writtenKey struct {
	id int64
	dp int
}

// writeOrder writes an order, from memory where it can.
func (s *Shop) writeOrder(e *encoder, o *order) {
	if e.only != nil {
		e.writeOrder(o, s.opt.Version)
		return
	}
	w := &s.written
	if w.orders == nil || w.changes != s.changes || w.base != e.base {
		*w = written{changes: s.changes, base: e.base, orders: map[writtenKey][]byte{}}
	}
	key := writtenKey{o.id, e.dp}
	if b, ok := w.orders[key]; ok {
		e.separate()
		e.b = append(e.b, b...)
		return
	}
	start := len(e.b)
	e.writeOrder(o, s.opt.Version)
	if b := e.b[start:]; w.bytes+len(b) <= cacheLimit {
		w.orders[key] = bytes.Clone(bytes.TrimPrefix(b, []byte{','}))
		w.bytes += len(b)
	}
}
