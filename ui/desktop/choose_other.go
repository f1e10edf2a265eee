//go:build !linux

package desktop

import "context"

func choose(context.Context, uintptr, Choice) (paths []string, ok bool) { return nil, false }
