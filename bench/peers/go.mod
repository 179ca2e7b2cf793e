module bench/peers

go 1.21

require (
	github.com/feliixx/mgodatagen v0.11.2
	github.com/mongodb/mongo-tools v0.0.0-20240723193119-837c2bc263f4
)
