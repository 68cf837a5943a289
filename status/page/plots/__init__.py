"""Drawings of the page, as inline SVG: one kind of drawing a file. Pure: plain data in, markup out.

`ticks` finds round numbers and local times for axes, `canvas` writes elements, the others draw with them. Positions
across are percentages and letters keep their size, so one drawing suits a phone and a wide screen. No `style`
attribute and no script, as the page's Content-Security-Policy wants it: colours come from the classes `f-<state>` of
app.css, and every state has a shape of its own besides (`marks`).
"""
