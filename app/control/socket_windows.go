package control

import (
	"context"
	"net"
	"os/user"

	"github.com/Microsoft/go-winio"
)

const pipePrefix = `\\.\pipe\potluck-`

// SocketPath returns the name of the pipe of a data folder.
func SocketPath(data string) (string, error) { return pipePrefix + socketName(data), nil }

// listen opens a named pipe that only this user may use.
func listen(_ context.Context, name string) (net.Listener, error) {
	me, err := user.Current()
	if err != nil {
		return nil, err
	}
	return winio.ListenPipe(pipePrefix+name, &winio.PipeConfig{
		// Full access for this user's SID, protected from inherited rights.
		SecurityDescriptor: "D:P(A;;GA;;;" + me.Uid + ")",
	})
}

func dial(ctx context.Context, name string) (net.Conn, error) {
	return winio.DialPipeContext(ctx, pipePrefix+name)
}
