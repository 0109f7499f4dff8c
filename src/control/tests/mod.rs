//! The control group: on one node, and on several over loopback with real sockets.

mod single;
