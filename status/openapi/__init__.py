"""The description of the HTTP API, OpenAPI 3.1, served at `/openapi.json`.

Made from one table: `operations` names routes, parameters and answers; `parameters` and the modules of schemas say what
they are. A test holds it against the routes that are served, the parameters they take, and real answers.
"""
