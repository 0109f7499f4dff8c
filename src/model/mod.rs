//! A trained model: formats, graph, plan, execution on burn backends.
