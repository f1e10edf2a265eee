package desktop

import "context"

func register(context.Context, string, []byte) error { return nil }

func unregister(context.Context) error { return nil }

func registered() bool { return false }
