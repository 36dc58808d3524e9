package sandbox

// The constructors of fields. T is the type of the receiver.

// gqlText is a string, never null.
func gqlText[T any](get func(*gqlRun, T) string) gqlField {
	return gqlField{write: func(x *gqlRun, _ *gqlNode, r any) { x.text(get(x, r.(T))) }}
}

// gqlTextOrNull is a string, or an enum value; null where it is empty.
func gqlTextOrNull[T any](get func(*gqlRun, T) string) gqlField {
	return gqlField{write: func(x *gqlRun, _ *gqlNode, r any) {
		if v := get(x, r.(T)); v != "" {
			x.text(v)
		} else {
			x.null()
		}
	}}
}

// gqlID is a global id, gid://shopify/Kind/123; null for 0.
func gqlID[T any](kind string, get func(*gqlRun, T) int64) gqlField {
	return gqlField{write: func(x *gqlRun, _ *gqlNode, r any) { x.gid(kind, get(x, r.(T))) }}
}

// gqlNumber is a whole number: Int.
func gqlNumber[T any](get func(*gqlRun, T) int64) gqlField {
	return gqlField{write: func(x *gqlRun, _ *gqlNode, r any) { x.number(get(x, r.(T))) }}
}

// gqlNumberText is a whole number written as a string: UnsignedInt64.
func gqlNumberText[T any](get func(*gqlRun, T) int64) gqlField {
	return gqlField{write: func(x *gqlRun, _ *gqlNode, r any) {
		x.b = append(x.b, '"')
		x.number(get(x, r.(T)))
		x.b = append(x.b, '"')
	}}
}

// gqlBool is true or false.
func gqlBool[T any](get func(*gqlRun, T) bool) gqlField {
	return gqlField{write: func(x *gqlRun, _ *gqlNode, r any) { x.bool(get(x, r.(T))) }}
}

// gqlTime is a DateTime from seconds since 1970; null for 0.
func gqlTime[T any](get func(*gqlRun, T) int64) gqlField {
	return gqlField{write: func(x *gqlRun, _ *gqlNode, r any) { x.time(get(x, r.(T))) }}
}

// gqlDecimal is a Decimal or a Money from millionths, with at least two
// decimals and no needless zeros behind them: "19.9" is written "19.90".
func gqlDecimal[T any](get func(*gqlRun, T) int64) gqlField {
	return gqlField{write: func(x *gqlRun, _ *gqlNode, r any) { x.decimal(get(x, r.(T))) }}
}

// gqlFloat is a Float.
func gqlFloat[T any](get func(*gqlRun, T) float64) gqlField {
	return gqlField{write: func(x *gqlRun, _ *gqlNode, r any) { x.float(get(x, r.(T))) }}
}

// gqlTexts is a list of strings.
func gqlTexts[T any](get func(*gqlRun, T) []string) gqlField {
	return gqlField{write: func(x *gqlRun, _ *gqlNode, r any) {
		x.b = append(x.b, '[')
		for i, v := range get(x, r.(T)) {
			if i > 0 {
				x.b = append(x.b, ',')
			}
			x.text(v)
		}
		x.b = append(x.b, ']')
	}}
}

// gqlRaw is a scalar that put writes by itself, such as with x.text or x.null.
func gqlRaw[T any](put func(*gqlRun, T)) gqlField {
	return gqlField{write: func(x *gqlRun, _ *gqlNode, r any) { put(x, r.(T)) }}
}

// gqlObject is an object of a type; null where get returns the zero value.
func gqlObject[T any, V comparable](of string, get func(*gqlRun, T) V) gqlField {
	return gqlField{of: of, write: func(x *gqlRun, n *gqlNode, r any) {
		v := get(x, r.(T))
		var none V
		if v == none {
			x.null()
			return
		}
		x.object(n.sel, v)
	}}
}

// gqlValue is an object that is never null, of a Go type that need not be
// comparable.
func gqlValue[T, V any](of string, get func(*gqlRun, T) V) gqlField {
	return gqlField{of: of, write: func(x *gqlRun, n *gqlNode, r any) { x.object(n.sel, get(x, r.(T))) }}
}

// gqlSame is an object whose receiver is that of the field itself: a part of
// the record that has a type of its own.
func gqlSame(of string) gqlField {
	return gqlField{of: of, write: func(x *gqlRun, n *gqlNode, r any) { x.object(n.sel, r) }}
}

// gqlList is a list of objects. An argument first cuts it. An element that is
// a nil interface is null.
func gqlList[T, V any](of string, get func(*gqlRun, T) []V) gqlField {
	return gqlField{of: of, many: true, write: func(x *gqlRun, n *gqlNode, r any) {
		most := x.args.size("first", -1)
		x.b = append(x.b, '[')
		for i, v := range get(x, r.(T)) {
			if i == most || x.void {
				break
			}
			x.element(n, i, v)
		}
		x.b = append(x.b, ']')
	}}
}

// gqlConnection is a connection: rows in a fixed order, of which the arguments
// first, last, after, before and reverse choose a page. get need not look at
// them.
func gqlConnection[T, V any](of string, get func(*gqlRun, T) gqlRows[V]) gqlField {
	return gqlField{of: of, rows: true,
		write: func(x *gqlRun, n *gqlNode, r any) {
			rows := get(x, r.(T))
			page, before := rows.page(x, n), x.spent
			x.object(n.sel, page)
			x.charge(before, page.n)
			if n.parent == nil && n.ask.Name == "orders" {
				x.weight += page.n
			}
		},
		lines: func(x *gqlRun, r any, yield func(any) bool) {
			rows := get(x, r.(T))
			for _, v := range rows.all {
				if (rows.keep == nil || rows.keep(v)) && !yield(v) {
					return
				}
			}
		},
	}
}
