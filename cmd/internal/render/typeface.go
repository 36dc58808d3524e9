package render

import (
	"fmt"
	"strings"

	"github.com/johnfercher/maroto/v2/pkg/consts/fontstyle"
	"github.com/johnfercher/maroto/v2/pkg/core/entity"
	"github.com/johnfercher/maroto/v2/pkg/repository"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/sfnt"
)

// typeface is the font of what is printed: that of the Go project, which is
// free and has Latin, Greek and Cyrillic.
type typeface struct {
	fonts  []*entity.CustomFont
	font   *sfnt.Font
	buffer sfnt.Buffer
}

func openTypeface() (*typeface, error) {
	fonts, err := repository.New().
		AddUTF8FontFromBytes(fontFamily, fontstyle.Normal, goregular.TTF).
		AddUTF8FontFromBytes(fontFamily, fontstyle.Bold, gobold.TTF).Load()
	if err != nil {
		return nil, fmt.Errorf("load the font: %w", err)
	}
	font, err := sfnt.Parse(goregular.TTF)
	if err != nil {
		return nil, fmt.Errorf("read the font: %w", err)
	}
	return &typeface{fonts: fonts, font: font}, nil
}

// shown is a text with a question mark for each character that the font does
// not have.
func (t *typeface) shown(s string) string {
	s = strings.ReplaceAll(s, "✓", "– OK")
	return strings.Map(func(r rune) rune {
		if r < ' ' {
			return ' '
		}
		if i, err := t.font.GlyphIndex(&t.buffer, r); err != nil || i == 0 || r > 0xffff {
			return '?'
		}
		return r
	}, s)
}
