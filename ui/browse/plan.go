package browse

import (
	"bytes"
	"image"
	_ "image/gif"
	_ "image/jpeg"
	_ "image/png"
	"path"
	"strings"

	"github.com/potluck-share/potluck/app/domain"
)

type plan struct {
	most int64
	text bool
}

func planFor(r *row) (plan, bool) {
	switch strings.ToLower(path.Ext(r.name)) {
	case ".jpg", ".jpeg", ".png", ".gif":
		return plan{most: min(r.result.Size, domain.MostPeek)}, r.result.Size <= domain.MostPeek && r.result.Size > 0
	case ".txt", ".md", ".csv", ".go":
		return plan{most: 4096, text: true}, r.result.Size > 0
	}
	return plan{}, false
}

func (p plan) decode(got domain.Peek) (peek, error) {
	if p.text {
		return peek{text: strings.ToValidUTF8(string(got.Data), "")}, nil
	}
	m, _, err := image.Decode(bytes.NewReader(got.Data))
	if err != nil {
		return peek{}, domain.ErrMalformed
	}
	return peek{picture: m}, nil
}
