package format

import "github.com/potluck-share/potluck/storage/names"

// Name makes the name or path of somebody's file safe to show: nothing that is
// invisible, turns the direction of the text or breaks the line. It is for
// showing only; the file is found by what it is really called.
func Name(name string) string { return names.Display(name) }
