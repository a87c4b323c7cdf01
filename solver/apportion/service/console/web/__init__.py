"""The console's pages over HTTP: routes, guard, rendering. The only part that knows Starlette."""
