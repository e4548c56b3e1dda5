"""What the server takes at most, and how large its pictures are. Imports no torch."""

#: Bytes of an upload, and of any other request's body.
MOST_BYTES, MOST_WORDS = 400 << 20, 1 << 20
#: Bytes of what was painted on a picture, packed.
MOST_PAINTED = 128 << 20
#: Pictures of a session for each role, masks of a folder, and earlier results that are kept.
MOST_PICTURES, MOST_MASKS, MOST_RESULTS = 200, 60, 24
#: Jobs that wait for a worker, and pages that listen to a session.
MOST_WAITING, MOST_LISTENERS = 400, 32
#: Pixels of the picture that is worked with on the page, and long side of a thumbnail.
VIEW_PIXELS, THUMB = 1_000_000, 320
#: Long sides of the first glimpse, of the picture that it is shown as, and of quick previews.
GLIMPSE, GLIMPSE_SHOWN, QUICK = 160, 720, 512
#: Values of a sweep, and the long side at which each is tried.
SWEEP_VALUES, SWEEP_SIZE = 5, 320
#: Seconds that a solve waits after the first glimpse: whoever paints on gets the next one sooner.
BREATH = 0.7
#: Seconds between pictures of a solve under way, and after which a silent stream says a word.
PREVIEW_EVERY, HEARTBEAT = 0.8, 15.0
#: Seconds after which what nobody has touched goes.
KEPT = 7 * 24 * 3600
#: Bytes of tensors that a worker remembers.
MEMORY = 1 << 30
