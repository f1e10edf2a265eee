//go:build !linux

package desktop

import (
	"context"
	"image"
)

func watchDrags(context.Context, uintptr, func(image.Point, bool)) {}
