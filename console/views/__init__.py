"""What the API says, turned into what people read: pure functions, without Gradio and without I/O."""
