//go:build !unix

package library_test

// makeSpecial is for systems without pipes in folders.
func (k *kitchen) makeSpecial(string) string {
	k.Skip("no pipes in folders here")
	return ""
}
