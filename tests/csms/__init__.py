"""The CSMS over real websockets: raw frames in, raw frames out."""
