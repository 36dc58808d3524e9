package woocommerce

import (
	"bytes"
	"encoding/json"
)

// headOf reads what is needed to find one's way in a list: the id and the date
// of a row. It is called on every row before anything else is known of it, so
// it walks over the text once, without decoding the rest. The text is valid
// JSON: it was cut out of an answer that was decoded.
func headOf(raw json.RawMessage) row {
	r := row{raw: raw}
	fields(raw, func(key, value []byte) {
		var s scalar
		switch string(key) {
		case "id":
			if s.UnmarshalJSON(value) == nil {
				r.id = s.id()
			}
		case "date_modified_gmt":
			if s.UnmarshalJSON(value) == nil {
				r.modified, _ = s.instant()
			}
		}
	})
	return r
}

// fields calls use with the fields of an object whose values are neither
// objects nor lists. Anything but an object has none.
func fields(text []byte, use func(key, value []byte)) {
	depth, i := 0, 0
	var key []byte // the key before a value; nil while a key is expected
	if text = bytes.TrimSpace(text); len(text) == 0 || text[0] != '{' {
		return
	}
	for i < len(text) {
		switch b := text[i]; {
		case b == '{' || b == '[':
			depth++
			i++
		case b == '}' || b == ']':
			depth--
			i++
		case b == '"':
			end := stringEnd(text, i)
			switch {
			case end-1 <= i: // cut off
				return
			case depth != 1:
			case key == nil:
				key = text[i+1 : end-1]
			default:
				use(key, text[i:end])
			}
			i = end
		case depth == 1 && b == ',':
			key = nil
			i++
		case depth == 1 && (b == '-' || b >= '0' && b <= '9' || b >= 'a' && b <= 'z'):
			end := i
			for end < len(text) && !bytes.ContainsRune([]byte(",}] \t\r\n"), rune(text[end])) {
				end++
			}
			use(key, text[i:end])
			i = end
		default:
			i++
		}
	}
}

// stringEnd returns where the string that begins at i ends, behind its quote.
func stringEnd(text []byte, i int) int {
	for i++; i < len(text); {
		next := bytes.IndexByte(text[i:], '"')
		if next < 0 {
			break
		}
		i += next
		slashes := 0
		for text[i-1-slashes] == '\\' {
			slashes++
		}
		i++
		if slashes%2 == 0 {
			return i
		}
	}
	return len(text)
}
