package desktop

import (
	"unsafe"

	"golang.org/x/sys/windows"
)

// What winnt.h and minwinbase.h call these.
const (
	powerRequestSystemRequired      = 1
	powerRequestContextVersion      = 0
	powerRequestContextSimpleString = 1
)

var (
	kernel             = windows.NewLazySystemDLL("kernel32.dll")
	powerCreateRequest = kernel.NewProc("PowerCreateRequest")
	powerSetRequest    = kernel.NewProc("PowerSetRequest")
)

// reasonContext is REASON_CONTEXT with a simple string in its union, and room
// for the other member, which is larger.
type reasonContext struct {
	version, flags uint32
	text           *uint16
	_              [3]uintptr
}

// keepAwake holds a power request, which ends with its handle.
func keepAwake(reason string) (release func()) {
	nothing := func() {}
	text, err := windows.UTF16PtrFromString(reason)
	if err != nil || powerCreateRequest.Find() != nil || powerSetRequest.Find() != nil {
		return nothing
	}
	context := reasonContext{version: powerRequestContextVersion, flags: powerRequestContextSimpleString, text: text}
	request, _, _ := powerCreateRequest.Call(uintptr(unsafe.Pointer(&context)))
	handle := windows.Handle(request)
	if handle == windows.InvalidHandle || handle == 0 {
		return nothing
	}
	// Without it the request holds nothing, and is closed like any other.
	_, _, _ = powerSetRequest.Call(request, powerRequestSystemRequired)
	return func() { _ = windows.CloseHandle(handle) } // held by nobody else
}
