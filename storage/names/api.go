package names

func Clean(path string) (string, error)  { return path, nil }
func Fold(path string) string            { return path }
func Display(name string) string         { return name }
func Nickname(name string) string        { return name }
func Numbered(name string, n int) string { return name }
func Shareable(name string) error        { return nil }
func Ignored(name string) bool           { return false }
