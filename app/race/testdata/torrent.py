"""Makes, seeds and fetches torrents with libtorrent.

    torrent.py make TORRENT SOURCE PIECE-SIZE
    torrent.py seed TORRENT FOLDER SETTINGS ADDRESS:PORT
    torrent.py fetch TORRENT FOLDER SETTINGS ADDRESS:PORT PEER:PORT...

SETTINGS are "usual", libtorrent's own, which made the faster swarm, or "fast",
which made the faster copy between two where the link is no limit.

seed and fetch print "ready" when they listen, and run until their input ends.
fetch waits for a line of input first, and prints "done" when all is there and
flushed. Peers are told, not searched for, and nothing is encrypted.
"""

import os
import select
import sys

import libtorrent as lt

FAST = {
    "max_out_request_queue": 3000, "max_allowed_in_request_queue": 3000,
    "request_queue_time": 1,
    "send_buffer_watermark": 8 << 20, "send_buffer_watermark_factor": 150,
    "max_queued_disk_bytes": 64 << 20,
    "aio_threads": os.cpu_count(), "hashing_threads": os.cpu_count(),
    "unchoke_slots_limit": 64,
}


def make(torrent, source, piece):
    files = lt.file_storage()
    lt.add_files(files, source)
    # Of the two hashes that a torrent may have, the faster one alone.
    made = lt.create_torrent(files, int(piece), lt.create_torrent.v1_only)
    lt.set_piece_hashes(made, os.path.dirname(source))
    with open(torrent, "wb") as f:
        f.write(lt.bencode(made.generate()))


def session(address, role, chosen):
    settings = {}
    if chosen == "fast":
        # What libtorrent's author gives a fast seed, and wider limits.
        settings = lt.high_performance_seed() if role == "seed" else {}
        settings.update(FAST)
    settings.update({
        "listen_interfaces": address,
        "enable_dht": False, "enable_lsd": False, "enable_upnp": False, "enable_natpmp": False,
        "enable_incoming_utp": False, "enable_outgoing_utp": False,
        "in_enc_policy": 2, "out_enc_policy": 2,  # disabled
        "allow_multiple_connections_per_ip": True,
        "rate_limit_ip_overhead": False,
        "connection_speed": 1000,
        "alert_mask": lt.alert.category_t.status_notification | lt.alert.category_t.error_notification,
    })
    made = lt.session(settings)
    while True:
        made.wait_for_alert(5000)
        if any(isinstance(alert, lt.listen_succeeded_alert) for alert in made.pop_alerts()):
            return made


def parameters(torrent, folder, seed):
    params = lt.add_torrent_params()
    params.ti = lt.torrent_info(torrent)
    params.save_path = folder
    params.flags &= ~(lt.torrent_flags.auto_managed | lt.torrent_flags.paused)
    if seed:
        params.flags |= lt.torrent_flags.seed_mode  # it need not look at the files first
    return params


def connect(handle, peers):
    for peer in peers:
        host, port = peer.rsplit(":", 1)
        handle.connect_peer((host, int(port)))


def wait_for(ses, handle, peers):
    """Waits until all is there, and knocks again where nobody answered."""
    while True:
        if ses.wait_for_alert(500) is None and handle.status().num_peers < len(peers):
            connect(handle, peers)
        for alert in ses.pop_alerts():
            if isinstance(alert, lt.torrent_error_alert):
                sys.exit(alert.message())
            if isinstance(alert, lt.torrent_finished_alert):
                return


def flush(ses, handle, folder):
    """Lets libtorrent write all that it holds, then the system."""
    handle.flush_cache()
    flushed = False
    while not flushed:
        ses.wait_for_alert(1000)
        flushed = any(isinstance(alert, lt.cache_flushed_alert) for alert in ses.pop_alerts())
    files = handle.torrent_file().files()
    for i in range(files.num_files()):
        fd = os.open(os.path.join(folder, files.file_path(i)), os.O_RDONLY)
        os.fsync(fd)
        os.close(fd)


def main(role, torrent, folder, chosen, address=None, *peers):
    if role == "make":
        make(torrent, folder, chosen)
        return
    ses = session(address, role, chosen)
    if role == "seed":
        ses.add_torrent(parameters(torrent, folder, True))
    print("ready", flush=True)
    if role == "fetch":
        sys.stdin.readline()
        handle = ses.add_torrent(parameters(torrent, folder, False))
        connect(handle, peers)
        wait_for(ses, handle, peers)
        flush(ses, handle, folder)
        print("done", flush=True)
    # What libtorrent has to say must be taken from it, or it piles up.
    while not select.select([sys.stdin], [], [], 0.5)[0]:
        ses.pop_alerts()
    os._exit(0)  # nobody waits for its farewell to trackers


main(*sys.argv[1:])
