// Potluck shares files with the people around you.
package main

import (
	"os"

	"github.com/potluck-share/potluck/app"
)

func main() {
	os.Exit(app.Main(os.Args[1:]))
}
