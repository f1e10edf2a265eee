package gossip

import (
	"context"
	"crypto/sha256"
	"fmt"

	pubsub "github.com/libp2p/go-libp2p-pubsub"
	pubsubpb "github.com/libp2p/go-libp2p-pubsub/pb"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"

	"github.com/potluck-share/potluck/app/domain"
)

// meshProtocol is gossipsub under a name of our own: with smaller messages than
// others use, and with peers that are all near each other.
const meshProtocol protocol.ID = "/potluck/meshsub/1"

const (
	// maxRPC is the most that one peer sends another at once, in bytes.
	maxRPC = 32 << 10
	// maxSubscriptions bounds the topics that a peer names at once; a newer
	// Potluck may have more than we know.
	maxSubscriptions = 32
	// validateQueue is how many messages may wait for their check.
	validateQueue = 1024
)

const (
	headsTopic     = "/potluck/heads/1"
	questionsTopic = "/potluck/questions/1"
)

var errPersonal = fmt.Errorf("%w: a head that is for one peer alone", domain.ErrMalformed)

// topic is one line of the table of topics.
type topic struct {
	name string
	// limit is the most bytes of a message.
	limit int
	// judge decides about a message that a near peer passed on.
	judge func(g *Gossip, from domain.PeerID, data []byte) pubsub.ValidationResult
}

// topics returns all there are.
func topics() []topic {
	return []topic{
		{name: headsTopic, limit: maxSigned, judge: (*Gossip).judgeHead},
		{name: questionsTopic, limit: maxQuestion, judge: (*Gossip).judgeQuestion},
	}
}

// join starts pubsub and joins all topics.
func (g *Gossip) join() error {
	var err error
	near := func(conn network.Conn) bool { return g.cfg.Host.Asker(conn).Near }
	meet := func(id peer.ID) { g.met(domain.PeerID(id.String())) }
	all := topics()
	names := make([]string, len(all))
	for i, t := range all {
		names[i] = t.name
	}
	if g.gate, err = newGate(g.cfg.Host.Libp2p(), near, meet, g.timing, names); err != nil {
		return err
	}

	params := pubsub.DefaultGossipSubParams()
	// Nothing is offered to peers outside the mesh: it would go to whoever is
	// connected, and swaps do the same once and for all.
	params.Dlazy = 0
	params.GossipFactor = 0
	params.HeartbeatInterval = g.timing.beat
	params.Connectors = 0 // nobody is dialled because another peer says so

	ps, err := pubsub.NewGossipSub(g.ctx, g.gate,
		pubsub.WithGossipSubParams(params),
		pubsub.WithGossipSubProtocols([]protocol.ID{meshProtocol}, feature),
		// What is sent is signed by its author already.
		pubsub.WithMessageSignaturePolicy(pubsub.StrictNoSign),
		pubsub.WithNoAuthor(),
		pubsub.WithMessageIdFn(messageID),
		pubsub.WithMaxMessageSize(maxRPC),
		pubsub.WithMaxControlMessageSize(maxRPC),
		pubsub.WithFloodPublish(false),
		pubsub.WithPeerExchange(false),
		pubsub.WithPeerFilter(func(id peer.ID, _ string) bool { return g.nearNow(id) }),
		pubsub.WithAppSpecificRpcInspector(g.inspect),
		pubsub.WithSubscriptionFilter(
			pubsub.WrapLimitSubscriptionFilter(pubsub.NewAllowlistSubscriptionFilter(names...), maxSubscriptions)),
		pubsub.WithValidateQueueSize(validateQueue),
		pubsub.WithLogger(g.log),
	)
	if err != nil {
		g.gate.close()
		return fmt.Errorf("starting pubsub: %w", err)
	}
	for _, t := range all {
		if err := g.joinTopic(ps, t); err != nil {
			g.gate.close()
			return fmt.Errorf("joining %s: %w", t.name, err)
		}
	}
	return nil
}

func (g *Gossip) joinTopic(ps *pubsub.PubSub, t topic) error {
	judge := func(_ context.Context, from peer.ID, msg *pubsub.Message) pubsub.ValidationResult {
		if from == g.gate.ID() {
			return pubsub.ValidationAccept // published here
		}
		if !g.nearNow(from) {
			return pubsub.ValidationIgnore
		}
		if len(msg.GetData()) > t.limit {
			g.complaints.About(domain.PeerID(from.String()), t.name, fmt.Errorf("%w: a message of %d bytes", domain.ErrTooLarge, len(msg.GetData())))
			return pubsub.ValidationReject
		}
		return t.judge(g, domain.PeerID(from.String()), msg.GetData())
	}
	// Inline: a check takes a tenth of a millisecond, less than a goroutine for
	// each message is worth, and a flood then waits in one bounded queue.
	if err := ps.RegisterTopicValidator(t.name, judge, pubsub.WithValidatorInline(true)); err != nil {
		return err
	}
	joined, err := ps.Join(t.name)
	if err != nil {
		return err
	}
	// A relay is in the mesh and has no queue that somebody must empty: the
	// validator has taken what there is to take.
	leave, err := joined.Relay()
	if err != nil {
		return err
	}
	g.topics[t.name] = joined
	g.leave = append(g.leave, leave)
	return nil
}

// feature says what the mesh protocol can do: meshes, and none of the later
// additions, which exchange peers or are meant for large messages.
func feature(f pubsub.GossipSubFeature, proto protocol.ID) bool {
	return f == pubsub.GossipSubFeatureMesh && proto == meshProtocol
}

func messageID(msg *pubsubpb.Message) string {
	sum := sha256.Sum256(msg.GetData())
	return string(sum[:])
}

func (g *Gossip) nearNow(id peer.ID) bool {
	return g.cfg.Host.AskerFor(domain.PeerID(id.String())).Near
}

// inspect looks at all that a peer sends before pubsub does. It runs in
// pubsub's own loop.
func (g *Gossip) inspect(from peer.ID, rpc *pubsub.RPC) error {
	if !g.nearNow(from) {
		return errFar
	}
	for _, prune := range rpc.GetControl().GetPrune() {
		prune.Peers = nil // we look for peers ourselves
	}
	if n := len(rpc.GetPublish()); n > 0 && !g.forwarders.allow(domain.PeerID(from.String()), n) {
		// Control goes on, so that a mesh stays a mesh.
		rpc.Publish = nil
		g.complaints.About(domain.PeerID(from.String()), "passes on more than it may", fmt.Errorf("%d messages at once", n))
	}
	return nil
}

// judgeHead takes the head of another peer, and decides whether it goes on.
func (g *Gossip) judgeHead(from domain.PeerID, data []byte) pubsub.ValidationResult {
	author, _, err := claimed(data, maxSigned, headCodec)
	if err == nil && author != g.self && !g.believable(author, from) {
		return pubsub.ValidationIgnore // without the work of checking it
	}
	h, err := open(data)
	if err != nil {
		g.complaints.About(from, headsTopic, err)
		return pubsub.ValidationReject
	}
	if h.personal {
		g.complaints.About(from, headsTopic, errPersonal)
		return pubsub.ValidationReject // was never meant to get here
	}
	if h.Peer == g.self {
		g.seenOwn(Everyone, h)
		return pubsub.ValidationIgnore
	}
	now := g.cfg.Now()
	g.mu.Lock()
	// Only what is news is counted: anybody can send again what somebody once
	// said, and would else use up what they may say.
	allowed := !g.table.isNews(h) || g.table.allow(h.Peer, now)
	v := refused
	if allowed {
		v = g.table.takeGossiped(h, now)
	}
	g.mu.Unlock()

	if !allowed {
		return pubsub.ValidationReject
	}
	if v != fresh {
		return pubsub.ValidationIgnore
	}
	g.news.add(h.Peer)
	if g.apart() || g.hidden() {
		return pubsub.ValidationIgnore
	}
	return pubsub.ValidationAccept
}

// believable reports whether a head of author that another peer passed on is
// taken.
func (g *Gossip) believable(author, from domain.PeerID) bool {
	return g.cfg.Heard(author) || g.cfg.Vouched != nil && g.cfg.Vouched(from)
}

// apart reports whether others' heads end here, between two networks.
func (g *Gossip) apart() bool { return g.cfg.TwoNetworks != nil && g.cfg.TwoNetworks() }

// seenOwn looks at a head of our own, as asker may see it, that came back.
func (g *Gossip) seenOwn(asker domain.Asker, h signedHead) {
	if g.cfg.Behind == nil {
		return
	}
	// What a peer saw when it had more, or less, is numbered for itself.
	if own, seen := g.own(asker); h.personal == seen.personal && h.Newer(own.Version) {
		g.cfg.Behind(h.Version)
	}
}
