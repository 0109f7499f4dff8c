//! One Options per component, composed; read by cli alone.
