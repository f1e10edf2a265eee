// Package partial keeps downloads in the making: part files that survive
// interruptions and become finished files in one step.
package partial

import (
	"errors"
	"time"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/storage/content"
)

var errTODO = errors.New("not yet")

type File struct{}

func Open(want domain.Want) (*File, error)                        { return nil, errTODO }
func (f *File) Size() int64                                       { return 0 }
func (f *File) Layer() (content.Layer, bool)                      { return content.Layer{}, false }
func (f *File) SetLayer(layer content.Layer) error                { return errTODO }
func (f *File) Has(index int) bool                                { return false }
func (f *File) Missing() []int                                    { return nil }
func (f *File) Done() int64                                       { return 0 }
func (f *File) Put(p content.Piece) error                         { return errTODO }
func (f *File) ReadPiece(index int, buf []byte) (int, error)      { return 0, errTODO }
func (f *File) Sync() error                                       { return errTODO }
func (f *File) Finish() (path string, err error)                  { return "", errTODO }
func (f *File) Close() error                                      { return errTODO }
func (f *File) Discard() error                                    { return errTODO }
func Folder(root string, target string, modified time.Time) error { return errTODO }
