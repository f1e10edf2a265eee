// Package sim lets hundreds of peers with large catalogues live on a simulated
// network, in virtual time, to see how what each of them sends and receives grows
// with their number. It holds tests only: the announcements, the swaps and the
// lists are the real ones, on real libp2p hosts over QUIC; who is near, and what
// is on disk, is made up.
package sim
