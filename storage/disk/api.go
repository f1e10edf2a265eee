// Package disk is a thin portable layer over the file system: shared files,
// exclusive names, durable renames, copies that share blocks, free space.
package disk

import (
	"errors"
	"os"
)

var errTODO = errors.New("not yet")

func OpenShared(path string) (*os.Root, string, error)              { return nil, "", errTODO }
func ClaimName(root *os.Root, rel string) (string, *os.File, error) { return "", nil, errTODO }
func RenameOver(root *os.Root, from, to string) error               { return errTODO }
func SyncFolder(root *os.Root, rel string) error                    { return errTODO }
func Free(path string) (int64, error)                               { return 0, errTODO }
func Copy(dst, src *os.File) (reflinked bool, err error)            { return false, errTODO }
func Kind(err error) error                                          { return err }
